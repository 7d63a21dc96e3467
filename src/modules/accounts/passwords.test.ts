import { randomBytes } from 'node:crypto';
import { hash as argon2 } from '@node-rs/argon2';
import { hash as bcrypt } from '@node-rs/bcrypt';
import { describe, expect, it, test } from 'vitest';
import { requireGoodPassword } from './password-rules.ts';
import { createPasswords, requireImportableHash } from './passwords.ts';

const passwords = createPasswords({ concurrency: 2 });

describe('a hash', () => {
  it('fits the exact password and no other', async () => {
    const base = `${'p'.repeat(70)}ab`;
    const stored = await passwords.hash(base);
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await passwords.verify(stored, base)).toBe(true);
    const twins = [`${base}x`, base.slice(0, -1), ` ${base}`, `${base} `, base.toUpperCase(), `${base}\u0000`, ''];
    for (const other of twins) expect(await passwords.verify(stored, other)).toBe(false);
    const composed = await passwords.hash('Pass\u00e1ge one');
    expect(await passwords.verify(composed, 'Passa\u0301ge one')).toBe(false);
  });

  it('is never found for nobody, nor beyond the bound', async () => {
    expect(await passwords.verify(undefined, '')).toBe(false);
    expect(await passwords.verify(null, 'a password')).toBe(false);
    expect(await passwords.verify(await passwords.hash('x'), 'x'.repeat(1_025))).toBe(false);
  });

  it('of bcrypt is checked to 72 bytes and refused beyond', async () => {
    const long = 'x'.repeat(72);
    const stored = await bcrypt(long, 4);
    expect(await passwords.verify(stored, long)).toBe(true);
    expect(await passwords.verify(stored, `${long}y`)).toBe(false);
    expect(await passwords.verify(stored, `${long.slice(1)}\u00e9`)).toBe(false);
    expect(passwords.outdated(stored)).toBe(true);
  });

  it('of other parameters is checked, and said to be outdated', async () => {
    const weak = await argon2('a password', { memoryCost: 8_192, timeCost: 1 });
    expect(await passwords.verify(weak, 'a password')).toBe(true);
    expect(passwords.outdated(weak)).toBe(true);
    expect(passwords.outdated(await passwords.hash('a password'))).toBe(false);
  });
});

test('unknown names cost what known ones cost', async () => {
  const stored = await passwords.hash('a password');
  const time = async (hash: string | undefined) => {
    const start = performance.now();
    await passwords.verify(hash, 'wrong');
    return performance.now() - start;
  };
  const known: number[] = [];
  const unknown: number[] = [];
  for (let index = 0; index < 25; index += 1) {
    known.push(await time(stored));
    unknown.push(await time(undefined));
  }
  // The floors: noise only adds.
  expect(Math.abs(Math.min(...known) - Math.min(...unknown))).toBeLessThan(Math.min(...known) * 0.5);
});

test('no more hashes run at once than were allowed, and a long queue is refused', async () => {
  const narrow = createPasswords({ concurrency: 2 });
  const all = Array.from({ length: 40 }, () =>
    narrow.verify(undefined, 'x').then(
      () => 'done',
      (error: { code: string }) => error.code,
    ),
  );
  expect([narrow.running, narrow.waiting]).toEqual([2, 32]);
  const ends = await Promise.all(all);
  expect(ends.filter((end) => end === 'done')).toHaveLength(34);
  expect(ends.filter((end) => end === 'sign_in_busy')).toHaveLength(6);
  expect([narrow.running, narrow.waiting]).toEqual([0, 0]);
});

test('what may be imported', async () => {
  const fine = [await bcrypt('x', 4), (await bcrypt('x', 4)).replace('$2b$', '$2y$'), await argon2('x')];
  for (const stored of fine) expect(requireImportableHash(stored)).toBe(stored);
  const huge = (await argon2('x')).replace('m=19456', 'm=4194304');
  for (const stored of [
    '',
    'plain text',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    huge,
    '$argon2id$',
    `$2b$31$${'x'.repeat(53)}`,
  ]) {
    expect(() => requireImportableHash(stored)).toThrow(/bcrypt/);
  }
});

describe('which passwords may be set', () => {
  const person = {
    email: 'hr-admin@acme-works.example',
    username: 'front.desk',
    fullName: 'Desk Person',
    companyName: 'Acme Works',
    companySlug: 'acme-works',
  };
  const code = (password: string) => {
    try {
      requireGoodPassword(password, person);
      return 'good';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  it.each([
    'password',
    'Password1',
    'P@ssw0rd!',
    'password2026!!',
    'qwertyuiop',
    'QWERTY123',
    '12345678',
    '87654321',
    'abcdefgh',
    'aaaaaaaa',
    'abababab',
    'letmein123',
    'Welcome2026',
    'iloveyou!',
    'Summer2026!',
    'strongroom',
    '1q2w3e4r',
  ])('not %s', (password) => expect(code(password)).toBe('password_common'));
  it.each([
    'acmeworks',
    'Acme Works1',
    'acme-works',
    'hr-admin@acme-works.example',
    'front.desk',
    'FrontDesk12',
    'hradmin1',
  ])('not %s', (password) => expect(code(password)).toBe('password_personal'));
  it.each([
    'correct horse battery',
    'Acme Works has a large gate',
    'a quite new phrase',
    '\u{1f600}\u{1f601}\u{1f602}\u{1f603}\u{1f604}\u{1f605}\u{1f606}\u{1f607}',
  ])('but %s', (password) => expect(code(password)).toBe('good'));
  it('and whatever is random', () => {
    for (let index = 0; index < 500; index += 1) expect(code(randomBytes(9).toString('base64url'))).toBe('good');
  });
});
