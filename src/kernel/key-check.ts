/**
 * Whether the key ring is the one that the control database was made with. Several processes on different folders must
 * be given one ring (STRONGROOM_KEY_RING): a second, generated one would seal what the others cannot open.
 *
 * The control database keeps a digest under the ring's root key, which tells nothing of the key.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlDb } from './database/database.ts';
import { StrongroomError } from './errors.ts';
import type { Secrets } from './secrets.ts';
import type { Config } from './settings.ts';
import './tenants/tables.ts';

const howTo = 'Give every process the ring of the first one in STRONGROOM_KEY_RING.';

/**
 * Before a ring is made: none may be made beside a control database that has one already.
 * @throws invalid `key_ring_missing`
 */
export async function requireRingFor(control: ControlDb, config: Pick<Config, 'dataDir' | 'keyRing'>): Promise<void> {
  if (config.keyRing !== null || existsSync(join(config.dataDir, 'keys.json'))) return;
  if ((await stored(control)) === undefined) return;
  const text = `The control database was made with a key ring that is not here. ${howTo}`;
  throw new StrongroomError('invalid', 'key_ring_missing', text);
}

/**
 * Once the control database is migrated: keeps the digest at the first start, and compares it at every other.
 * @throws invalid `key_ring_mismatch`
 */
export async function checkRing(control: ControlDb, secrets: Pick<Secrets, 'digest'>): Promise<void> {
  const own = secrets.digest('control:key-check', 'v1');
  let known = await stored(control);
  if (known === undefined) {
    await control.transaction((tx) =>
      tx
        .insertInto('installation')
        .values({ key: 'key_check', value: own })
        .onConflict((on) => on.column('key').doNothing())
        .execute(),
    );
    known = await stored(control);
  }
  if (known === own) return;
  const text = `The control database was made with another key ring. ${howTo}`;
  throw new StrongroomError('invalid', 'key_ring_mismatch', text);
}

/** Undefined also where the table is not there yet: nothing was ever sealed. */
async function stored(control: ControlDb): Promise<string | undefined> {
  try {
    const row = await control.read
      .selectFrom('installation')
      .select('value')
      .where('key', '=', 'key_check')
      .executeTakeFirst();
    return row?.value;
  } catch (error) {
    if ((error as { code?: unknown }).code === '42P01') return undefined;
    throw error;
  }
}
