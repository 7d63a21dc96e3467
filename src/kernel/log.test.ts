/** No secret and no control character leaves through the log, in either form. */
import { describe, expect, test } from 'vitest';
import { createLoggerTo } from './log.ts';

function lines(format: 'json' | 'pretty', write: (log: ReturnType<typeof createLoggerTo>) => void): string {
  const out: string[] = [];
  write(createLoggerTo({ write: (line) => out.push(line) }, { level: 'info', format }, false));
  return out.join('');
}

describe.each(['json', 'pretty'] as const)('%s', (format) => {
  test('hides secrets by name, down to the third level', () => {
    const secret = 'the-hidden-one';
    const out = lines(format, (log) => {
      log.info({ password: secret, access_token: secret }, 'one');
      log.info({ body: { refresh_token: secret, setupUrl: secret } }, 'two');
      log.info({ req: { headers: { authorization: secret, cookie: secret, accept: 'seen' } } }, 'three');
    });
    expect(out).not.toContain(secret);
    expect(out).toContain('[hidden]');
    expect(out).toContain('seen');
  });

  test('escapes what a terminal would obey, and text cannot make lines of its own', () => {
    const evil = '\u001b[31mred\r\u0007\u009b31m\u007f\u2028';
    const out = lines(format, (log) => log.info({ name: evil }, `hi ${evil}\nINFO: forged`));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028]/);
    expect(out).toContain('\\u001b[31mred');
    expect(out.split('\n').some((line) => line.startsWith('INFO'))).toBe(false);
  });
});

test('is silent below its level', () => {
  expect(lines('json', (log) => log.debug('x'))).toBe('');
});
