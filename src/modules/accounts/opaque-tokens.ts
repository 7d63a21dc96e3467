/**
 * Refresh, invitation and reset tokens: `<company's id part or "system">.<256 random bits>`. The first part only says
 * where to look. They are stored as SHA-256 and compared by it, so a database that is read gives none away.
 */
import { createHash, randomBytes } from 'node:crypto';
import { idPart, type TenantId, tenantIdFromPart } from '../../kernel/ids.ts';

/** Where a token belongs: a company, or the installation. */
export type TokenHome = TenantId | 'system';

export interface ParsedToken {
  readonly home: TokenHome;
  /** SHA-256 in hex. */
  readonly hash: string;
}

const secretPattern = /^[A-Za-z0-9_-]{43}$/;

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** 256 random bits as text. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function tokenOf(home: TokenHome, secret: string): string {
  return `${home === 'system' ? 'system' : idPart(home)}.${secret}`;
}

export function newToken(home: TokenHome): { readonly token: string; readonly hash: string } {
  const token = tokenOf(home, newSecret());
  return { token, hash: hashToken(token) };
}

/** Undefined where the text has not exactly the form of a token. */
export function parseToken(token: string): ParsedToken | undefined {
  if (token.length > 80) return undefined;
  const [part = '', secret = '', ...rest] = token.split('.');
  if (rest.length > 0 || !secretPattern.test(secret)) return undefined;
  const home = part === 'system' ? 'system' : tenantIdFromPart(part);
  return home === undefined ? undefined : { home, hash: hashToken(token) };
}
