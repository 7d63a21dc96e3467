import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseJson } from './json.ts';
import type { Refusal } from './refusal.ts';

const statusOf = (text: string): number => {
  try {
    parseJson(text);
    return 200;
  } catch (error) {
    return (error as Refusal).status;
  }
};

/** What may be said: no prototype keys, whole texts, and `-0` as JSON writes it. */
const plain = (value: unknown): boolean =>
  !/"(__proto__|constructor|prototype)":|\\u0000|\\ud[89a-f]/i.test(JSON.stringify(value));

test('agrees with JSON.parse on everything that is JSON, however it is spaced', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      fc.pre(plain(value));
      const text = JSON.stringify(value, null, indent);
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
    { numRuns: 500 },
  );
});

test('never takes what JSON.parse does not, and never throws anything but a refusal', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '1',
    '-',
    '.',
    'e',
    'true',
    'nul',
    '\\',
    '\n',
    ' ',
    '\\u00',
    '\ufeff',
    '/*',
    "'",
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      const status = statusOf(text);
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      expect([200, 400, 422]).toContain(status);
      if (!valid) expect(status).not.toBe(200);
    }),
    { numRuns: 2_000 },
  );
});

test('is linear: a megabyte of anything takes no longer than it should', () => {
  for (const text of [
    '"'.repeat(1e6),
    '\\'.repeat(1e6),
    `"${'\\n'.repeat(5e5)}"`,
    `"${'a'.repeat(1e6)}"`,
    '['.repeat(1e6),
    '-'.repeat(1e6),
    ' '.repeat(1e6),
    '1'.repeat(1e6),
    '{"a":'.repeat(2e5),
  ]) {
    const started = performance.now();
    statusOf(text);
    expect(performance.now() - started).toBeLessThan(500);
  }
});
