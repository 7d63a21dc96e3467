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
  const derived = new Map<string, Buffer>();

  const derive = (key: RingKey, purpose: string): Buffer => {
    const name = `${key.id} ${purpose}`;
    const known = derived.get(name);
    if (known !== undefined) return known;
    const made = Buffer.from(hkdfSync('sha256', key.bytes, 'strongroom', purpose, 32));
    derived.set(name, made);
    return made;
  };
  const keyFor = (purpose: string) => (id: string) => {
    const key = byId.get(id);
    return key === undefined ? undefined : derive(key, purpose);
  };

  // As key objects: making a digest with plain bytes costs five times as much, and every page of a list makes one.
  const digestKeys = new Map<string, KeyObject>();
  const digestKey = (purpose: string): KeyObject => {
    let key = digestKeys.get(purpose);
    if (key === undefined) {
      key = createSecretKey(derive(root, `digest:${purpose}`));
      digestKeys.set(purpose, key);
    }
    return key;
  };

  const wrapping = 'wrap:tenant-key';
  const unwrap = (tenantId: string, wrapped: string): Buffer =>
    Buffer.from(openSealed(wrapped, keyFor(wrapping), tenantId, wrapping), 'base64');

  return {
    control: sealer(
      'control',
      () => ({ id: newest.id, bytes: derive(newest, 'seal:control') }),
      keyFor('seal:control'),
    ),
    newTenantKey: (tenantId) =>
      seal({ id: newest.id, bytes: derive(newest, wrapping) }, tenantId, wrapping, randomBytes(32).toString('base64')),
    forTenant(tenantId, wrappedKey) {
      // Handles are made for every request, and most of them never seal: the key is unwrapped when it is first needed.
      let key: RingKey | undefined;
      const own = (): RingKey => {
        key ??= dataKey(unwrap(tenantId, wrappedKey));
        return key;
      };
      return sealer(tenantId, own, (id) => (own().id === id ? own().bytes : undefined));
    },
    digest: (purpose, value) => createHmac('sha256', digestKey(purpose)).update(value).digest('hex'),
    derive: (purpose) => Buffer.from(derive(root, `derive:${purpose}`)),
    signingKeys: ring.map((key) => signingKey(key.id, derive(key, 'sign:access-token'))),
  };
}

/** A data key with the id that values sealed under it carry. */
function dataKey(bytes: Buffer): RingKey {
  return { id: createHmac('sha256', bytes).update('key-id').digest('hex').slice(0, 12), bytes };
}

function signingKey(id: string, seed: Buffer): SigningKey {
  return { kid: `${id}-${createHmac('sha256', seed).update('kid').digest('hex').slice(0, 8)}`, seed };
}

function sealer(owner: string, current: () => RingKey, find: (id: string) => Buffer | undefined): TenantSecrets {
  return {
    seal: (purpose, plain) => seal(current(), owner, purpose, plain),
    open: (purpose, sealed) => openSealed(sealed, find, owner, purpose),
  };
}

/** What a sealed value is bound to. JSON keeps the three apart whatever characters they hold. */
function bound(owner: string, purpose: string, keyId: string): Buffer {
  return Buffer.from(JSON.stringify(['strongroom', 'v1', owner, purpose, keyId]));
}

function seal(key: RingKey, owner: string, purpose: string, plain: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce, { authTagLength: tagBytes });
  cipher.setAAD(bound(owner, purpose, key.id));
  const body = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `v1.${key.id}.${body.toString('base64url')}`;
}

function openSealed(sealed: string, find: (id: string) => Buffer | undefined, owner: string, purpose: string): string {
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
