/**
 * The registry: records of companies by id and slug, from memory where they are known.
 *
 * Guarantees
 * - Exact where one process owns the control database: whoever changes a record invalidates it after the commit and
 *   before the change is answered. Several processes invalidate each other by message (`changes.ts`); while `fresh`
 *   says that messages may be missing, nothing is given from memory.
 * - One query at a time for one id, however many ask. A load that an invalidation overtakes is given to those who asked
 *   before it, and kept by nobody.
 * - Bounded: the least recently used records go first. What does not exist is never kept.
 */
import type { ControlDb } from '../database/database.ts';
import { isId, type TenantId } from '../ids.ts';
import { selectById, selectBySlug } from './repository.ts';
import { isSlug } from './slugs.ts';
import type { TenantRecord } from './tenants.ts';

export interface Registry {
  /** From memory, or undefined where it must be loaded. */
  cached(id: TenantId): TenantRecord | undefined;
  /** Tombstones included. */
  get(id: TenantId): Promise<TenantRecord | undefined>;
  /** By id or slug; tombstones left out. */
  find(idOrSlug: string): Promise<TenantRecord | undefined>;
  /** The record changed, or may have: whoever asks from now on gets what the database says. */
  invalidate(id: TenantId): void;
  invalidateAll(): void;
  readonly size: number;
}

export interface RegistryOptions {
  readonly control: ControlDb;
  /** Records kept at most. Default 20,000 (about 20 MB). */
  readonly limit?: number;
  /** Whether what is in memory counts now. Default: always, as where one process owns the control database. */
  readonly fresh?: () => boolean;
}

interface Load {
  readonly record: Promise<TenantRecord | undefined>;
  overtaken: boolean;
}

export function createRegistry({ control, limit = 20_000, fresh }: RegistryOptions): Registry {
  const records = new Map<TenantId, TenantRecord>();
  const ids = new Map<string, TenantId>();
  const loads = new Map<string, Load>();
  // Rises with every invalidation: a look-up by slug does not know beforehand which id it will find.
  let epoch = 0;

  function keep(record: TenantRecord): void {
    if (records.size >= limit) drop(records.keys().next().value!);
    records.set(record.id, record);
    if (record.state !== 'deleted') ids.set(record.slug, record.id);
  }

  function drop(id: TenantId): void {
    const record = records.get(id);
    records.delete(id);
    if (record !== undefined && ids.get(record.slug) === id) ids.delete(record.slug);
  }

  function cached(id: TenantId): TenantRecord | undefined {
    if (fresh !== undefined && !fresh()) return undefined;
    const record = records.get(id);
    // Keeping the order of use only matters once something must go.
    if (record !== undefined && records.size > limit / 2) {
      records.delete(id);
      records.set(id, record);
    }
    return record;
  }

  /** One load for a key at a time. `query` runs once; its result is kept unless it was overtaken. */
  function load(key: string, query: () => Promise<TenantRecord | undefined>): Promise<TenantRecord | undefined> {
    const running = loads.get(key);
    if (running !== undefined) return running.record;
    const began = epoch;
    const started: Load = {
      overtaken: false,
      record: query()
        .then((record) => {
          const stale = started.overtaken || (!isId('company', key) && epoch !== began);
          if (record !== undefined && !stale) keep(record);
          return record;
        })
        .finally(() => {
          if (loads.get(key) === started) loads.delete(key);
        }),
    };
    loads.set(key, started);
    return started.record;
  }

  function overtake(key: string): void {
    const running = loads.get(key);
    if (running === undefined) return;
    running.overtaken = true;
    loads.delete(key);
  }

  async function get(id: TenantId): Promise<TenantRecord | undefined> {
    return cached(id) ?? load(id, () => selectById(control.read, id));
  }

  return {
    cached,
    get,
    async find(idOrSlug) {
      if (!isId('company', idOrSlug) && !isSlug(idOrSlug)) return undefined;
      const id = isId('company', idOrSlug) ? idOrSlug : ids.get(idOrSlug);
      const record = await (id === undefined ? load(idOrSlug, () => selectBySlug(control.read, idOrSlug)) : get(id));
      return record === undefined || record.state === 'deleted' ? undefined : record;
    },
    invalidate(id) {
      epoch += 1;
      drop(id);
      overtake(id);
      // Loads by slug that are on their way may be of this company.
      for (const key of [...loads.keys()]) if (!isId('company', key)) overtake(key);
    },
    invalidateAll() {
      epoch += 1;
      records.clear();
      ids.clear();
      for (const key of [...loads.keys()]) overtake(key);
    },
    get size() {
      return records.size;
    },
  };
}
