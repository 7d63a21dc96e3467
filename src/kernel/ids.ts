/**
 * Identifiers: a type prefix and 26 characters of Crockford base32 in lower case (48 bits of milliseconds, 80 random
 * bits: the layout of ULID, https://github.com/ulid/spec). They sort by time of creation and are never reused.
 */
import { randomFillSync } from 'node:crypto';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Every prefix in use. A module that needs a new kind of thing adds its prefix here. */
export const idPrefixes = {
  company: 'comp',
  user: 'user',
  operator: 'oper',
  session: 'sess',
  invitation: 'invt',
  document: 'doc',
  version: 'ver',
  basket: 'bskt',
  upload: 'upl',
  operation: 'oprn',
  migration: 'mig',
  event: 'evt',
  job: 'job',
  audit: 'aud',
  share: 'shr',
  history: 'hist',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** A company's id, `comp_…`; made only by `newId` and `parseId`. */
export type TenantId = string & { readonly __tenantId: unique symbol };

/** A new id of this kind, for the time `now` in milliseconds since 1970. */
export function newId(kind: 'company', now?: number): TenantId;
export function newId(kind: IdKind, now?: number): string;
export function newId(kind: IdKind, now: number = Date.now()): string {
  return `${idPrefixes[kind]}_${newIdPart(now)}`;
}

function newIdPart(now: number): string {
  let time = '';
  let rest = Math.max(0, Math.floor(now));
  for (let index = 0; index < 10; index += 1) {
    time = alphabet[rest % 32] + time;
    rest = Math.floor(rest / 32);
  }
  let random = '';
  for (const byte of randomPart()) random += alphabet[byte & 31];
  return time + random;
}

/** Random bytes are drawn for many ids at once: most of the cost of drawing is in the call. None is used twice. */
const pool = Buffer.alloc(256 * 16);
let used = pool.length;

function randomPart(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return pool.subarray(used - 16, used);
}

const part = '[0-7][0-9a-hjkmnp-tv-z]{25}';
const patterns = new Map<IdKind, RegExp>(
  (Object.keys(idPrefixes) as IdKind[]).map((kind) => [kind, new RegExp(`^${idPrefixes[kind]}_${part}$`)]),
);

/** Whether `value` has the exact form of an id of this kind. */
export function isId(kind: 'company', value: unknown): value is TenantId;
export function isId(kind: IdKind, value: unknown): value is string;
export function isId(kind: IdKind, value: unknown): boolean {
  return typeof value === 'string' && patterns.get(kind)!.test(value);
}

/** The 26 characters behind the prefix: what physical names and opaque tokens carry. */
export function idPart(id: string): string {
  return id.slice(id.indexOf('_') + 1);
}

/** The tenant id that belongs to an id part, or undefined where the part is malformed. */
export function tenantIdFromPart(value: string): TenantId | undefined {
  const id = `${idPrefixes.company}_${value}`;
  return isId('company', id) ? id : undefined;
}

/** The milliseconds since 1970 that an id carries. */
export function idTime(id: string): number {
  let time = 0;
  for (const letter of idPart(id).slice(0, 10)) time = time * 32 + alphabet.indexOf(letter);
  return time;
}
