import { describe, expect, it } from 'vitest';
import { EmailText, GivenPasswordText, NameText, PasswordText, text, UsernameText } from './shapes.ts';

const ok = (shape: { safeParse(value: unknown): { success: boolean } }, value: unknown) =>
  shape.safeParse(value).success;

describe('text', () => {
  it.each([
    "'; DROP DATABASE postgres; --",
    '{{7*7}}',
    '../../etc',
    'C:\\x\\',
    '<script>alert(1)</script>',
    'İı ß ς K',
    'null',
    "=cmd|'/c calc'!A1",
    '%0d%0aSet-Cookie:x=1',
    'a'.repeat(200),
    '😀'.repeat(200),
    ' leading and trailing ',
  ])('keeps %j exactly', (value) => {
    expect(NameText.parse(value)).toBe(value);
  });

  it.each([
    '',
    '   ',
    '\u200b',
    '\u3164',
    '\u2800 \u3000',
    'a\u0000b',
    'a\nb',
    'a\tb',
    'a\u0007',
    '\u001b[31m',
    'a\u0085b',
    'a\u2028b',
    'a\u202eb',
    'a\u2066b',
    'a\u200db',
    '\ufeffa',
    'a\u{E0041}b',
    'a\ufffe',
    'a\uffff',
    '\ud800',
    `a${'\u0301'.repeat(500)}`,
    'a'.repeat(201),
    '😀'.repeat(201),
    'A'.repeat(1_000_000),
  ])('refuses %j', (value) => {
    expect(ok(NameText, value)).toBe(false);
  });

  it('counts code points, and allows lines where it is told to', () => {
    expect(ok(text({ max: 10, lines: true }), 'a\nb\tc\r\n')).toBe(true);
    expect(ok(text({ max: 10, lines: true }), 'a\u0000')).toBe(false);
    expect(ok(text({ min: 0, max: 10 }), '')).toBe(true);
  });

  it.each([1, null, true, [], {}, ['a']])('refuses %j, which is no text', (value) => {
    expect(ok(NameText, value)).toBe(false);
  });
});

describe('email', () => {
  it.each([
    ['HR.Admin@Example.COM', 'hr.admin@example.com'],
    ['a+tag@x-y.example', 'a+tag@x-y.example'],
    ["o'neil@example.com", "o'neil@example.com"],
  ])('takes %s', (given, kept) => {
    expect(EmailText.parse(given)).toBe(kept);
  });

  it.each([
    '',
    'a',
    'a@',
    '@b',
    '@b.example',
    'a@b',
    'a@b@c.example',
    'a b@c.example',
    'a@-x.example',
    'a@x-.example',
    'a@[127.0.0.1]',
    'a@127.0.0.1',
    `${'a'.repeat(250)}@x.example`,
    `${'a'.repeat(65)}@x.example`,
    '"a"@x.example',
    'a(comment)@x.example',
    'a@x.example\r\nBcc: b@x.example',
    'a@x.example,b@y.example',
    'a@x.example.',
    '.a@x.example',
    'a..b@x.example',
    'a@x..example',
    '\u212a@x.example',
    'ä@x.example',
    'a@ä.example',
  ])('refuses %j', (value) => {
    expect(ok(EmailText, value)).toBe(false);
  });
});

describe('username', () => {
  it('is given on in lower case', () => expect(UsernameText.parse('HR-Admin.1')).toBe('hr-admin.1'));
  it.each(['a', '', '-a', '.ab', 'a b', 'a@b', '\u212aelvin', 'a'.repeat(65), 'ab\n'])('refuses %j', (value) => {
    expect(ok(UsernameText, value)).toBe(false);
  });
});

describe('passwords', () => {
  it('are kept as typed', () => {
    for (const value of [' spaced  out ', 'Pa\u0301ssword', 'P\u00e1ssword', '😀'.repeat(128)]) {
      expect(PasswordText.parse(value)).toBe(value);
      expect(GivenPasswordText.parse(value)).toBe(value);
    }
  });
  it.each(['', '1234567', 'a'.repeat(129), 'a'.repeat(1_000_000), 'abc\u0000defgh', '\ud800abcdefgh'])(
    'cannot be set to %j',
    (value) => expect(ok(PasswordText, value)).toBe(false),
  );
  it('are bounded when given, not judged', () => {
    expect(ok(GivenPasswordText, '')).toBe(true);
    expect(ok(GivenPasswordText, 'a'.repeat(1_024))).toBe(true);
    expect(ok(GivenPasswordText, 'a'.repeat(1_025))).toBe(false);
    expect(ok(GivenPasswordText, '\udc00')).toBe(false);
    expect(ok(GivenPasswordText, { $gt: '' })).toBe(false);
  });
});
