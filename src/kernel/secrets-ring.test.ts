/** Sealed values open where they were sealed and nowhere else; the ring is refused rather than lost. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testConfig } from './config.ts';
import { openSecrets } from './secrets-ring.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'strongroom-secrets-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const open = (keyRing: string | null = null) => openSecrets({ config: testConfig({ dataDir, keyRing }) });
const newKey = () => randomBytes(32).toString('base64');
const keysPath = () => join(dataDir, 'keys.json');

describe('sealed values', () => {
  test('open again, whatever the text, and never look alike', () => {
    const secrets = open();
    const tenant = secrets.forTenant('comp_a', secrets.newTenantKey('comp_a'));
    for (const plain of ['', 'x', 'ä€\u0000😀', 'x'.repeat(100_000)]) {
      const sealed = tenant.seal('mail:link', plain);
      expect(tenant.open('mail:link', sealed)).toBe(plain);
      expect(tenant.seal('mail:link', plain)).not.toBe(sealed);
    }
    expect(secrets.control.open('p', secrets.control.seal('p', 'text'))).toBe('text');
  });

  test('of one tenant do not open for another, nor with the key row of the other moved along', () => {
    const secrets = open();
    const [keyA, keyB] = [secrets.newTenantKey('comp_a'), secrets.newTenantKey('comp_b')];
    const sealed = secrets.forTenant('comp_a', keyA).seal('p', 'of a');
    expect(() => secrets.forTenant('comp_b', keyB).open('p', sealed)).toThrow(/cannot be opened/);
    // The control row of A copied over that of B.
    expect(() => secrets.forTenant('comp_b', keyA).open('p', sealed)).toThrow(/cannot be opened/);
    expect(() => secrets.control.open('p', sealed)).toThrow(/cannot be opened/);
  });

  test('do not open for another purpose', () => {
    const secrets = open();
    const tenant = secrets.forTenant('comp_a', secrets.newTenantKey('comp_a'));
    expect(() => tenant.open('other', tenant.seal('purpose', 'x'))).toThrow(/cannot be opened/);
    expect(() => secrets.control.open('other', secrets.control.seal('purpose', 'x'))).toThrow(/cannot be opened/);
  });

  test('do not open after a change of any one bit, a cut, or an addition', () => {
    const secrets = open();
    const tenant = secrets.forTenant('comp_a', secrets.newTenantKey('comp_a'));
    const sealed = tenant.seal('p', 'twelve bytes');
    const [version, keyId, encoded] = sealed.split('.') as [string, string, string];
    const body = Buffer.from(encoded, 'base64url');
    for (let bit = 0; bit < body.length * 8; bit += 1) {
      const changed = Buffer.from(body);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => tenant.open('p', `${version}.${keyId}.${changed.toString('base64url')}`)).toThrow();
    }
    for (const broken of [
      '',
      'v1',
      sealed.slice(0, -1),
      `${sealed}A`,
      `${sealed}.`,
      ` ${sealed}`,
      `v2${sealed.slice(2)}`,
    ]) {
      expect(() => tenant.open('p', broken)).toThrowError(expect.objectContaining({ code: 'sealed_value_unreadable' }));
    }
  });

  test('are lost with the data key: a new one for the same tenant opens nothing', () => {
    const secrets = open();
    const sealed = secrets.forTenant('comp_a', secrets.newTenantKey('comp_a')).seal('p', 'x');
    expect(() => secrets.forTenant('comp_a', secrets.newTenantKey('comp_a')).open('p', sealed)).toThrow();
  });
});

describe('rotation', () => {
  test('a new key first: old values open, new ones are sealed under it, digests stay', () => {
    const [old, fresh] = [newKey(), newKey()];
    const before = open(`old:${old}`);
    const wrapped = before.newTenantKey('comp_a');
    const sealed = before.forTenant('comp_a', wrapped).seal('p', 'text');
    const control = before.control.seal('p', 'control');

    const after = open(`new:${fresh},old:${old}`);
    expect(after.forTenant('comp_a', wrapped).open('p', sealed)).toBe('text');
    expect(after.control.open('p', control)).toBe('control');
    expect(after.control.seal('p', 'x')).toMatch(/^v1\.new\./);
    expect(after.newTenantKey('comp_b')).toMatch(/^v1\.new\./);
    expect(after.digest('sign-in', 'a@example.com')).toBe(before.digest('sign-in', 'a@example.com'));
    expect(after.derive('cursor')).toEqual(before.derive('cursor'));
    expect(after.signingKeys.map(({ kid }) => kid.split('-')[0])).toEqual(['new', 'old']);
    expect(after.signingKeys[1]).toEqual(before.signingKeys[0]);

    expect(() => open(`new:${fresh}`).control.open('p', control)).toThrow(/cannot be opened/);
  });

  test('purposes give different digests, keys and seeds', () => {
    const secrets = open();
    expect(secrets.digest('a', 'x')).not.toBe(secrets.digest('b', 'x'));
    expect(secrets.digest('a', 'x')).toMatch(/^[0-9a-f]{64}$/);
    const all = [secrets.derive('a'), secrets.derive('b'), secrets.signingKeys[0]!.seed].map((key) =>
      key.toString('hex'),
    );
    expect(new Set(all).size).toBe(3);
    expect(all.every((key) => key.length === 64)).toBe(true);
  });
});

describe('the ring', () => {
  test('is made once, for its owner alone, and read again', () => {
    const mask = process.umask(0);
    try {
      const first = open();
      expect(statSync(keysPath()).mode & 0o777).toBe(0o600);
      expect(readdirSync(dataDir)).toEqual(['keys.json']);
      expect(open().control.open('p', first.control.seal('p', 'x'))).toBe('x');
    } finally {
      process.umask(mask);
    }
  });

  test('is not made anew beside a control database', () => {
    writeFileSync(join(dataDir, 'control.db'), '');
    expect(() => open()).toThrowError(expect.objectContaining({ kind: 'invalid', code: 'key_ring_missing' }));
    expect(readdirSync(dataDir)).toEqual(['control.db']);
  });

  test.each([0o640, 0o604, 0o666])('is refused where others may read it: %o', (mode) => {
    open();
    chmodSync(keysPath(), mode);
    expect(() => open()).toThrowError(expect.objectContaining({ code: 'key_ring_readable_by_others' }));
  });

  const sample = Buffer.from('change-me-change-me-change-me-ok').toString('base64');
  test.each([
    ['nothing', ''],
    ['no id', newKey()],
    ['a bad id', `A B:${newKey()}`],
    ['a short key', `a:${randomBytes(16).toString('base64')}`],
    ['a long key', `a:${randomBytes(33).toString('base64')}`],
    ['no base64', `a:${'*'.repeat(44)}`],
    ['zeros', `a:${Buffer.alloc(32).toString('base64')}`],
    ['counting', `a:${Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')}`],
    ['typed text', `a:${sample}`],
    ['an id twice', `a:${newKey()},a:${newKey()}`],
    ['a bad second key', `a:${newKey()},b:${sample}`],
  ])('is refused with %s', (_, ring) => {
    expect(() => open(ring)).toThrowError(expect.objectContaining({ kind: 'invalid', code: 'key_ring_invalid' }));
  });

  test('is refused with the same key under two ids, and the message never holds a key', () => {
    const key = newKey();
    expect(() => open(`a:${key} b:${key}`)).toThrow(/same as an earlier one/);
    expect(() => open(`a:${key} a:${newKey()}`)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(key) }),
    );
  });

  test.each([
    '',
    '{',
    '[]',
    'null',
    '{"version":2,"keys":[]}',
    '{"version":1,"keys":[]}',
    '{"version":1,"keys":[null]}',
  ])('is refused where keys.json is %j', (content) => {
    open();
    writeFileSync(keysPath(), content);
    expect(() => open()).toThrowError(expect.objectContaining({ code: 'key_ring_invalid' }));
    expect(readFileSync(keysPath(), 'utf8')).toBe(content);
  });
});
