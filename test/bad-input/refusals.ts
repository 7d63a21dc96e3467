/**
 * How a bad input is judged: the status is one of those that are allowed, a refusal is a problem document without
 * anything of the inside in it, and it changed nothing.
 */
import { expect } from 'vitest';
import type { Answer } from '../support/story.ts';

/** Texts that only the inside knows: SQL, paths, stacks, drivers. */
const inside =
  /SQLITE|sqlite|syntax error|SELECT |INSERT |node_modules|\/src\/|\.ts:\d|at .+ \(|ENOENT|EACCES|ECONN|TypeError|RangeError/;

export function judge(answer: Answer, allowed: number | readonly number[], what: string): void {
  const statuses = typeof allowed === 'number' ? [allowed] : allowed;
  expect(statuses, `${what}: ${answer.status} ${answer.text.slice(0, 300)}`).toContain(answer.status);
  if (answer.status < 400) return;
  expect(answer.headers.get('content-type'), what).toContain('application/problem+json');
  expect(answer.body, what).toMatchObject({
    status: answer.status,
    type: expect.any(String),
    title: expect.any(String),
    detail: expect.any(String),
    code: expect.stringMatching(/^[a-z][a-z0-9_]*$/),
    instance: expect.any(String),
  });
  if (answer.status === 422) expect(Array.isArray(answer.body.errors ?? []), what).toBe(true);
  // What the caller sent may come back in the list of fields; the rest is ours.
  const { errors: _, ...ours } = answer.body;
  expect(JSON.stringify(ours), what).not.toMatch(inside);
}

/** Strings that go into every free-text field (catalogue 3.11), by number. */
export const hostileTexts: readonly [number, string][] = [
  [214, "' OR 1=1--"],
  [215, '"; DELETE FROM users; --'],
  [216, '1; SELECT pg_sleep(10)--'],
  [217, ['$', '{7*7}'].join('')],
  [218, "{{constructor.constructor('return 1')()}}"],
  [219, '<%=7*7%>'],
  [220, '#{7*7}'],
  [221, '`id`'],
  [222, '$(id)'],
  [223, '|id'],
  [224, '{"$gt":""}'],
  [225, '*)(uid=*'],
  [226, '<svg onload=alert(1)>'],
  [227, ']]><x>'],
  [228, '&xxe;'],
  [229, '%0d%0aSet-Cookie:x=1'],
  [230, '..%c0%af..%c0%af'],
  [231, '\u202Egnp.exe'],
  [232, '\uFEFFleading'],
  [233, 'a\uFFFEb\uFFFF'],
  [234, 'a\uD800b'],
  [235, 'A'.repeat(1_000_000)],
  [236, '('.repeat(100_000)],
  [237, '👩‍👩‍👧‍👦'.repeat(2_500)],
  [238, 'İıßςK'],
  [239, '\u3164'],
  [240, 'null'],
  [240, 'undefined'],
  [240, 'NaN'],
  [240, 'true'],
  [240, '0'],
  [240, '-0'],
  [240, '[object Object]'],
  [241, '%s%n%x'],
  [242, '\\\\\\\\'],
  [243, 'ends with a backslash\\'],
  [244, "=cmd|'/c calc'!A1"],
];

/** More texts that names of companies and people must survive (3.3). */
export const hostileNames: readonly [number, string][] = [
  [52, "'; DROP DATABASE postgres; --"],
  [52, '" ; --'],
  [52, '$$'],
  [52, '\\'],
  [53, '../../etc'],
  [53, '..\\..'],
  [53, 'C:\\x'],
  [53, '\\\\host\\share'],
  [53, '/abs'],
  [53, 'file://x'],
  [53, '.'],
  [53, '..'],
  [55, 'a\r\nb'],
  [55, 'a\tb'],
  [55, 'a\u0000b'],
  [55, 'a\u0007b'],
  [55, 'a\u001b[31mb'],
  [55, 'a\u0085b'],
  [55, 'a\u2028b'],
  [56, 'a\u2066b'],
  [56, 'a\u200db'],
  [56, 'a\u{E0041}b'],
  [56, `a${'\u0301'.repeat(500)}`],
  [58, '<script>alert(1)</script>'],
  [58, '<img src=x onerror=alert(1)>'],
  [58, 'javascript:alert(1)'],
  [46, ''],
  [46, '   '],
  [46, '\u200b'],
];

/** E-mail addresses that are none, or not one (row 59). */
export const badAddresses: readonly string[] = [
  '',
  'a',
  'a@',
  '@b',
  'a@b@c',
  'a b@c.d',
  'a@-x.example',
  'a@[127.0.0.1]',
  `${'a'.repeat(250)}@b.example`,
  '"quoted part"@b.example',
  'a(comment)@b.example',
  'a@b.example\r\nBcc: c@d.example',
  'a@x.example,b@y.example',
  'a@b.example.',
  'a\u0000@b.example',
];
