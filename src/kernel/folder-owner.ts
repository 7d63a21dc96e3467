/**
 * Which process serves what lies in the data folder, where several share one control database: companies of the
 * placement `sqlite`, and the buckets of the disk file store.
 *
 * Guarantees
 * - It is the process that holds the folder's lock, and whose folder is the one that the control database knows: the
 *   first that was used with it. A process with a folder of its own is not the owner of companies kept elsewhere.
 * - All others refuse with 503 `not_the_owner`, without touching anything.
 * - Where the owner ends, another process of the same folder takes over within a few seconds.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlDb } from './database/database.ts';
import type { FileStore, FileStores } from './files/file-store.ts';
import type { Logger } from './log.ts';
import { claimDataFolder, type FolderClaim } from './owner.ts';
import type { Placement } from './placements/placement.ts';
import { notTheOwner } from './tenants/lifecycle-tools.ts';
import './tenants/tables.ts';

export interface FolderOwner {
  /** Whether this process serves what lies in its data folder. */
  readonly owns: boolean;
  /** Once the control database is migrated: compares the folder with the one it knows; then tries again and again. */
  start(control: ControlDb): Promise<void>;
  /** Runs now, or as soon as this process becomes the owner. */
  whenOwned(run: () => Promise<void>): Promise<void>;
  release(): void;
}

const tryEvery = 2_000;

/** One process with everything to itself: the owner from the beginning. */
export function soleOwner(claim: FolderClaim): FolderOwner {
  return { owns: true, start: async () => {}, whenOwned: (run) => run(), release: () => claim.release() };
}

export function createFolderOwner(dataDir: string, log: Logger): FolderOwner {
  let claim: FolderClaim | undefined;
  let owns = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const waiting: (() => Promise<void>)[] = [];

  async function attempt(control: ControlDb): Promise<void> {
    claim ??= await claimDataFolder(dataDir);
    if (claim === undefined) return;
    if (closed) return claim.release();
    owns = await isKnownFolder(control, folderId(dataDir));
    if (!owns) {
      log.warn('the control database keeps companies in another data folder; this process does not serve them');
      return;
    }
    log.info('this process serves the companies of its data folder');
    for (const run of waiting.splice(0)) {
      await run().catch((error) => log.error({ err: error }, 'taking over the data folder did not go well'));
    }
  }

  function again(control: ControlDb): void {
    timer = setTimeout(() => {
      attempt(control)
        .catch((error) => log.warn({ err: error }, 'the data folder could not be taken over; trying again'))
        .finally(() => {
          if (!owns && claim === undefined && !closed) again(control);
        });
    }, tryEvery).unref();
  }

  return {
    get owns() {
      return owns && !closed;
    },
    async start(control) {
      await attempt(control);
      if (claim === undefined) again(control);
    },
    async whenOwned(run) {
      if (owns) await run();
      else waiting.push(run);
    },
    release() {
      closed = true;
      clearTimeout(timer);
      claim?.release();
    },
  };
}

/** The name of a folder, wherever it is mounted: made once, by whoever owns it. */
function folderId(dataDir: string): string {
  const path = join(dataDir, 'folder-id');
  const read = () => readFileSync(path, 'utf8').trim();
  try {
    return read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const draft = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  const file = openSync(draft, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(16).toString('hex')}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  return read();
}

async function isKnownFolder(control: ControlDb, id: string): Promise<boolean> {
  const known = await control.transaction(async (tx) => {
    await tx
      .insertInto('installation')
      .values({ key: 'sqlite_folder', value: id })
      .onConflict((on) => on.column('key').doNothing())
      .execute();
    return tx.selectFrom('installation').select('value').where('key', '=', 'sqlite_folder').executeTakeFirstOrThrow();
  });
  return known.value === id;
}

/** A placement that lies in the data folder, refused by all but the owner. */
export function ownedPlacement(placement: Placement, owner: Pick<FolderOwner, 'owns'>): Placement {
  if (!placement.capabilities.needsFolderOwner) return placement;
  const asked =
    <A extends unknown[], R>(verb: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      if (!owner.owns) throw notTheOwner();
      return verb(...given);
    };
  return {
    ...placement,
    create: asked(placement.create),
    stamp: asked(placement.stamp),
    open: asked(placement.open),
    migrate: asked(placement.migrate),
    inspect: asked(placement.inspect),
    size: asked(placement.size),
    destroy: asked(placement.destroy),
    destroyUnit: asked(placement.destroyUnit),
    async *listUnits() {
      if (owner.owns) yield* placement.listUnits();
    },
  };
}

/** A file store in the data folder, refused by all but the owner. Readiness does not depend on it there. */
export function ownedFiles(files: FileStores, owner: Pick<FolderOwner, 'owns'>): FileStores {
  if (files.kind !== 'disk') return files;
  const asked =
    <A extends unknown[], R>(verb: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      if (!owner.owns) throw notTheOwner();
      return verb(...given);
    };
  const ownedStore = (store: FileStore): FileStore => ({
    ...store,
    put: asked(store.put),
    get: asked(store.get),
    size: asked(store.size),
    madeAt: asked(store.madeAt),
    delete: asked(store.delete),
    async *keys() {
      if (!owner.owns) throw notTheOwner();
      yield* store.keys();
    },
    partial: asked(store.partial),
    sweepTemporary: asked(store.sweepTemporary),
  });
  return {
    ...files,
    open: (bucket) => (owner.owns ? files.open(bucket) : ownedStore(files.open(bucket))),
    createBucket: asked(files.createBucket),
    bucketExists: asked(files.bucketExists),
    deleteBucket: asked(files.deleteBucket),
    async *listBuckets() {
      if (owner.owns) yield* files.listBuckets();
    },
    check: async () => (owner.owns ? files.check() : { ok: true }),
  };
}
