import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { shiftedClock } from '../../kernel/clock.ts';
import { newId } from '../../kernel/ids.ts';
import { createAccessTokens } from './access-tokens.ts';

const key = { kid: 'one', seed: randomBytes(32) };
const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), key.seed]);
const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
const claims = { sub: newId('user'), company_id: newId('company'), role: 'employee', sid: newId('session') };
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function tokensAt(offset: { ms: number }) {
  return createAccessTokens({ keys: [key], seconds: 600, clock: shiftedClock(() => offset.ms) });
}

async function refused(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'accepted',
    (error: { code: string }) => error.code,
  );
}

test('a token gives its claims back until it expires, remembered or not', async () => {
  const offset = { ms: 0 };
  const tokens = tokensAt(offset);
  const token = await tokens.sign(claims);
  expect(await tokens.verify(token)).toMatchObject(claims);
  expect(await tokens.verify(token)).toMatchObject(claims);
  offset.ms = 599_000;
  expect(await tokens.verify(token)).toMatchObject(claims);
  offset.ms = 601_000;
  expect(await refused(tokens.verify(token))).toBe('invalid_token');
  expect(await refused(tokensAt(offset).verify(token))).toBe('invalid_token');
  // A clock that goes back does not revive what the cache forgot, nor accept what is of the future.
  offset.ms = -8 * 86_400_000;
  expect(await refused(tokens.verify(token))).toBe('invalid_token');
});

test('an operator’s token names no company', async () => {
  const tokens = tokensAt({ ms: 0 });
  const operator = { sub: newId('operator'), role: 'system_admin', sid: newId('session') };
  expect(await tokens.verify(await tokens.sign(operator))).not.toHaveProperty('company_id');
  for (const wrong of [
    { ...operator, company_id: newId('company') },
    { ...claims, company_id: undefined as never },
    { ...claims, company_id: 'comp_x' as never },
    { ...claims, sub: 'user_x' },
    { ...claims, sid: 'x' },
  ]) {
    expect(await refused(tokens.verify(await tokens.sign(wrong)))).toBe('invalid_token');
  }
});

test('keys: every one of the ring verifies, a stranger’s never', async () => {
  const other = { kid: 'two', seed: randomBytes(32) };
  const clock = shiftedClock(() => 0);
  const rotated = createAccessTokens({ keys: [other, key], seconds: 600, clock });
  const token = await tokensAt({ ms: 0 }).sign(claims);
  expect(await rotated.verify(token)).toMatchObject(claims);
  const stranger = createAccessTokens({ keys: [{ kid: 'one', seed: randomBytes(32) }], seconds: 600, clock });
  expect(await refused(tokensAt({ ms: 0 }).verify(await stranger.sign(claims)))).toBe('invalid_token');
});

test('forged headers and payloads are refused', async () => {
  const tokens = tokensAt({ ms: 0 });
  const token = await tokens.sign(claims);
  const [head, payload, signature] = token.split('.') as [string, string, string];
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
  const now = Math.floor(Date.now() / 1_000);
  const signed = (change: Record<string, unknown>, headerChange: Record<string, unknown> = {}) =>
    new SignJWT({ ...claims, iss: 'strongroom', aud: 'strongroom:api', iat: now, exp: now + 600, jti: 'x', ...change })
      .setProtectedHeader({ alg: 'EdDSA', kid: 'one', typ: 'at+jwt', ...headerChange })
      .sign(secret);
  expect(await tokens.verify(await signed({}))).toMatchObject(claims);
  const open = createPublicKey(secret);
  const symmetric = (secretText: string | Buffer) => {
    const body = `${encode({ ...header, alg: 'HS256' })}.${payload}`;
    return `${body}.${createHmac('sha256', secretText).update(body).digest('base64url')}`;
  };
  const foreign = generateKeyPairSync('ed25519');
  const forged = [
    `${encode({ ...header, alg: 'none' })}.${payload}.`,
    `${encode({ ...header, alg: 'None' })}.${payload}.${signature}`,
    `${head}.${payload}.`,
    `${head}.${payload}`,
    `${token}.a.b`,
    '..',
    symmetric(open.export({ format: 'pem', type: 'spki' })),
    symmetric(open.export({ format: 'der', type: 'spki' })),
    await signed({}, { typ: 'JWT' }),
    await signed({}, { kid: 'two' }),
    await signed({}, { kid: '../../dev/null' }),
    await signed({}, { kid: 'x'.repeat(10_000) }),
    await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', kid: 'one', typ: 'at+jwt', jwk: foreign.publicKey.export({ format: 'jwk' }) })
      .sign(foreign.privateKey),
    await signed({ iss: 'another' }),
    await signed({ aud: 'another' }),
    await signed({ exp: undefined }),
    await signed({ exp: now - 1 }),
    await signed({ nbf: now + 600 }),
    await signed({ iat: now + 600 }),
    await signed({ role: undefined }),
    await signed({ sid: undefined }),
    await signed({ jti: undefined }),
    'x'.repeat(9_000),
  ];
  for (const [index, one] of forged.entries()) {
    expect(await refused(tokens.verify(one)), `forgery ${index}`).toBe('invalid_token');
  }
});
