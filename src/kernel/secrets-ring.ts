/**
 * The key ring, and everything made from it (the interface is in `secrets.ts`).
 *
 * - The ring is `STRONGROOM_KEY_RING` (`id:base64` pairs, newest first) or `keys.json` in the data folder, mode 0600,
 *   made at the first start. It is never made anew beside an existing `control.db`: what is sealed there would be lost.
 * - Sealed values are `v1.<key id>.<base64url of nonce, ciphertext, tag>`: AES-256-GCM, random 96-bit nonce, bound to
 *   tenant, purpose and key id as associated data.
 * - The first key of the ring seals; every key of it opens. The last one is the root: digests and derived keys come
 *   from it, because a look-up by digest must go on finding what was stored before a rotation. Rotate by putting a new
 *   key first; never take out the last.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { StrongroomError } from './errors.ts';
import { type RingKey, readRing } from './key-ring.ts';
import type { Secrets, SigningKey, TenantSecrets } from './secrets.ts';
import type { Config } from './settings.ts';

const nonceBytes = 12;
const tagBytes = 16;

/** Opens the ring, making it at the first start. @throws invalid `key_ring_…` where it cannot be used as it is */
export function openSecrets({ config }: { config: Pick<Config, 'dataDir' | 'keyRing'> }): Secrets {
  return secretsFromRing(readRing(config));
}

/** The product's secrets from keys that were read: newest first, at least one. */
export function secretsFromRing(ring: readonly RingKey[]): Secrets {
  const newest = ring[0]!;
  const root = ring.at(-1)!;
  const byId = new Map(ring.map((key) => [key.id, key]));
  // As key objects: with plain bytes every digest and every sealed value costs five times as much.
  const derived = new Map<string, KeyObject>();

  const derive = (key: RingKey, purpose: string): KeyObject => {
    const name = `${key.id} ${purpose}`;
    const known = derived.get(name);
    if (known !== undefined) return known;
    const made = createSecretKey(Buffer.from(hkdfSync('sha256', key.bytes, 'strongroom', purpose, 32)));
    derived.set(name, made);
    return made;
  };
  const keyFor = (purpose: string) => (id: string) => {
    const key = byId.get(id);
    return key === undefined ? undefined : derive(key, purpose);
  };

  const wrapping = 'wrap:tenant-key';
  const unwrap = (tenantId: string, wrapped: string): Buffer =>
    Buffer.from(openSealed(wrapped, keyFor(wrapping), tenantId, wrapping), 'base64');

  return {
    control: sealer('control', () => ({ id: newest.id, key: derive(newest, 'seal:control') }), keyFor('seal:control')),
    newTenantKey: (tenantId) =>
      seal({ id: newest.id, key: derive(newest, wrapping) }, tenantId, wrapping, randomBytes(32).toString('base64')),
    forTenant(tenantId, wrappedKey) {
      // Handles are made for every request, and most of them never seal: the key is unwrapped when it is first needed.
      let known: SealingKey | undefined;
      const own = (): SealingKey => {
        known ??= dataKey(unwrap(tenantId, wrappedKey));
        return known;
      };
      return sealer(tenantId, own, (id) => (own().id === id ? own().key : undefined));
    },
    digest: (purpose, value) =>
      createHmac('sha256', derive(root, `digest:${purpose}`))
        .update(value)
        .digest('hex'),
    derive: (purpose) => derive(root, `derive:${purpose}`).export(),
    signingKeys: ring.map((key) => signingKey(key.id, derive(key, 'sign:access-token').export())),
  };
}

interface SealingKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** A data key with the id that values sealed under it carry. */
function dataKey(bytes: Buffer): SealingKey {
  const key = createSecretKey(bytes);
  return { id: createHmac('sha256', key).update('key-id').digest('hex').slice(0, 12), key };
}

function signingKey(id: string, seed: Buffer): SigningKey {
  return { kid: `${id}-${createHmac('sha256', seed).update('kid').digest('hex').slice(0, 8)}`, seed };
}

function sealer(owner: string, current: () => SealingKey, find: (id: string) => KeyObject | undefined): TenantSecrets {
  return {
    seal: (purpose, plain) => seal(current(), owner, purpose, plain),
    open: (purpose, sealed) => openSealed(sealed, find, owner, purpose),
  };
}

/** What a sealed value is bound to. JSON keeps the three apart whatever characters they hold. */
function bound(owner: string, purpose: string, keyId: string): Buffer {
  return Buffer.from(JSON.stringify(['strongroom', 'v1', owner, purpose, keyId]));
}

function seal({ id, key }: SealingKey, owner: string, purpose: string, plain: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(bound(owner, purpose, id));
  const body = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${id}.${body.toString('base64url')}`;
}

function openSealed(
  sealed: string,
  find: (id: string) => KeyObject | undefined,
  owner: string,
  purpose: string,
): string {
  const [version, keyId = '', encoded = '', ...rest] = sealed.split('.');
  const body = Buffer.from(encoded, 'base64url');
  // The decoder overlooks stray bits and characters; a value that is not spelled as it was written does not open.
  const exact = rest.length === 0 && body.toString('base64url') === encoded;
  if (version !== 'v1' || !exact || body.length < nonceBytes + tagBytes) throw unreadable('malformed');
  const key = find(keyId);
  if (key === undefined) throw unreadable('sealed under a key that is not here');
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, nonceBytes), { authTagLength: tagBytes });
    cipher.setAAD(bound(owner, purpose, keyId));
    cipher.setAuthTag(body.subarray(-tagBytes));
    return Buffer.concat([cipher.update(body.subarray(nonceBytes, -tagBytes)), cipher.final()]).toString('utf8');
  } catch (error) {
    throw unreadable('changed, or moved from another place', error);
  }
}

function unreadable(why: string, cause?: unknown): StrongroomError {
  return new StrongroomError('internal', 'sealed_value_unreadable', `A sealed value cannot be opened: it is ${why}.`, {
    cause,
  });
}
