/**
 * Access tokens: JWT signed with Ed25519 (RFC 8725: one pinned algorithm, type, issuer and audience checked, the key
 * found by an exact match of `kid`, nothing in the header trusted otherwise).
 *
 * A token says who asks; whether that still holds is read from the session on every request. A signature that was
 * checked once is remembered by the token's SHA-256 until it expires, because a check costs more than the whole query.
 */
import { createPrivateKey, createPublicKey, hash, type KeyObject, randomBytes } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../../kernel/clock.ts';
import { unauthenticated } from '../../kernel/errors.ts';
import { isId, type TenantId } from '../../kernel/ids.ts';
import type { SigningKey } from '../../kernel/secrets.ts';

const algorithm = 'EdDSA';
const issuer = 'strongroom';
const audience = 'strongroom:api';
const type = 'at+jwt';
const longest = 2_048;
const remembered = 20_000;
/** How far the clock of another process of ours may be ahead. */
const skewSeconds = 30;

export interface AccessClaims {
  readonly sub: string;
  /** Absent for operators. */
  readonly company_id?: TenantId;
  readonly role: string;
  readonly sid: string;
  /** Seconds since 1970. */
  readonly exp: number;
}

export interface AccessTokens {
  /** Life in seconds. */
  readonly seconds: number;
  sign(claims: Omit<AccessClaims, 'exp'>): Promise<string>;
  /** @throws unauthenticated `invalid_token` whatever is wrong with it */
  verify(token: string): Promise<AccessClaims>;
}

/** PKCS #8 wrapping of a 32-byte Ed25519 seed (RFC 8410). */
const seedPrefix = Buffer.from('302e020100300506032b657004220420', 'hex');

function keyPair(key: SigningKey): { kid: string; secret: KeyObject; open: KeyObject } {
  const der = Buffer.concat([seedPrefix, key.seed]);
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { kid: key.kid, secret, open: createPublicKey(secret) };
}

const refused = () => unauthenticated('The access token is not valid. Sign in, or refresh it.', 'invalid_token');

function claimsOf(payload: Record<string, unknown>, now: number): AccessClaims {
  const { sub, company_id: companyId, role, sid, iat, exp } = payload;
  const member = isId('user', sub) && isId('company', companyId);
  const operator = isId('operator', sub) && companyId === undefined;
  if (!(member || operator) || typeof role !== 'string' || !isId('session', sid)) throw refused();
  if (typeof exp !== 'number' || typeof iat !== 'number' || iat > now / 1_000 + skewSeconds) throw refused();
  return { sub: sub as string, role, sid, exp, ...(member ? { company_id: companyId as TenantId } : {}) };
}

export function createAccessTokens(options: {
  readonly keys: readonly SigningKey[];
  readonly seconds: number;
  readonly clock: Clock;
}): AccessTokens {
  const { clock, seconds } = options;
  const pairs = options.keys.map(keyPair);
  const newest = pairs[0]!;
  const byKid = new Map(pairs.map((pair) => [pair.kid, pair.open]));
  const known = new Map<string, AccessClaims>();

  async function check(token: string): Promise<AccessClaims> {
    const now = clock.now();
    const { payload } = await jwtVerify(
      token,
      (header) => {
        const key = typeof header.kid === 'string' ? byKid.get(header.kid) : undefined;
        if (key === undefined) throw refused();
        return key;
      },
      {
        algorithms: [algorithm],
        typ: type,
        issuer,
        audience,
        requiredClaims: ['sub', 'sid', 'role', 'exp', 'iat', 'jti'],
        currentDate: new Date(now),
      },
    );
    return claimsOf(payload, now);
  }

  return {
    seconds,
    async sign(claims) {
      const now = Math.floor(clock.now() / 1_000);
      const { sub, ...rest } = claims;
      return new SignJWT(rest)
        .setProtectedHeader({ alg: algorithm, kid: newest.kid, typ: type })
        .setSubject(sub)
        .setIssuedAt(now)
        .setExpirationTime(now + seconds)
        .setIssuer(issuer)
        .setAudience(audience)
        .setJti(randomBytes(12).toString('base64url'))
        .sign(newest.secret);
    },
    async verify(token) {
      if (token.length > longest) throw refused();
      const digest = hash('sha256', token, 'base64');
      const found = known.get(digest);
      if (found !== undefined) {
        if (found.exp * 1_000 > clock.now()) return found;
        known.delete(digest);
        throw refused();
      }
      const claims = await check(token).catch(() => {
        throw refused();
      });
      if (known.size >= remembered) known.delete(known.keys().next().value!);
      known.set(digest, claims);
      return claims;
    },
  };
}
