/** Every SQL statement about the table `tenants`. Takes a reader or a transaction; decides nothing. */
import { sql } from 'kysely';
import type { ControlReader, ControlTx } from '../database/database.ts';
import type { TenantState } from '../handles.ts';
import type { TenantId } from '../ids.ts';
import type { PlacementKind } from '../placements/placement.ts';
import '../jobs/tables.ts';
import { announceChange, announceChanges } from './changes.ts';
import './tables.ts';
import type { TenantTable } from './tables.ts';
import type { TenantFilter, TenantRecord } from './tenants.ts';

/** States in which a database is there and meant to stay: what migrations and visits are about. */
export const livingStates = ['active', 'suspended'] as const satisfies readonly TenantState[];

/** A tombstone reads as a record whose texts are empty; only `id` and `state` say anything. */
export function toRecord(row: TenantTable): TenantRecord {
  const id = row.id as TenantId;
  return Object.freeze({
    id,
    name: row.name ?? '',
    slug: row.slug ?? '',
    email: row.email ?? '',
    state: row.state,
    preset: row.preset ?? 'company',
    region: row.region,
    quotaBytes: row.quota_bytes === null ? null : Number(row.quota_bytes),
    registration: row.registration ?? 'closed',
    placement: Object.freeze({
      tenantId: id,
      kind: row.placement ?? 'sqlite',
      unit: row.unit ?? '',
      server: row.server,
      generation: row.generation,
    }),
    bucket: row.bucket ?? '',
    wrappedKey: row.wrapped_key ?? '',
    schemaVersion: row.schema_version,
    fingerprint: row.fingerprint,
    createdAt: row.created_at ?? '',
    deletedAt: row.deleted_at,
    purgeAfter: row.purge_after,
  } satisfies TenantRecord);
}

function searchText(record: Pick<TenantRecord, 'name' | 'slug' | 'email'>): string {
  return `${record.name}\n${record.slug}\n${record.email}`.toLowerCase();
}

export async function insertTenant(tx: ControlTx, record: TenantRecord): Promise<void> {
  await tx
    .insertInto('tenants')
    .values({
      id: record.id,
      state: record.state,
      name: record.name,
      slug: record.slug,
      email: record.email,
      sort_name: record.name.toLowerCase(),
      search: searchText(record),
      preset: record.preset,
      region: record.region,
      quota_bytes: record.quotaBytes,
      registration: record.registration,
      placement: record.placement.kind,
      unit: record.placement.unit,
      server: record.placement.server,
      generation: record.placement.generation,
      bucket: record.bucket,
      wrapped_key: record.wrappedKey,
      schema_version: record.schemaVersion,
      fingerprint: record.fingerprint,
      created_at: record.createdAt,
      deleted_at: record.deletedAt,
      purge_after: record.purgeAfter,
      restore_state: null,
    })
    .execute();
}

export async function selectById(reader: ControlReader | ControlTx, id: string): Promise<TenantRecord | undefined> {
  const row = await reader.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toRecord(row);
}

export async function selectByIds(reader: ControlReader, ids: readonly string[]): Promise<TenantRecord[]> {
  const rows = await reader
    .selectFrom('tenants')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute();
  return rows.map(toRecord);
}

export async function selectBySlug(reader: ControlReader, slug: string): Promise<TenantRecord | undefined> {
  const row = await reader.selectFrom('tenants').selectAll().where('slug', '=', slug).executeTakeFirst();
  return row === undefined ? undefined : toRecord(row);
}

/** Those of `slugs` that are taken, each with its company. */
export async function takenSlugs(tx: ControlTx, slugs: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await tx
    .selectFrom('tenants')
    .select(['slug', 'id'])
    .where('slug', 'in', [...slugs])
    .execute();
  return new Map(rows.map((row) => [row.slug!, row.id]));
}

export async function setState(
  tx: ControlTx,
  id: string,
  state: TenantState,
  deletion?: { deletedAt: string | null; purgeAfter: string | null; restoreState: TenantState | null },
): Promise<void> {
  await tx
    .updateTable('tenants')
    .set({
      state,
      ...(deletion === undefined
        ? {}
        : {
            deleted_at: deletion.deletedAt,
            purge_after: deletion.purgeAfter,
            restore_state: deletion.restoreState,
          }),
    })
    .where('id', '=', id)
    .execute();
  await announceChange(tx, id);
}

/** Of companies that are all at the same: at most as many as a statement takes values. */
export async function setSchemas(
  tx: ControlTx,
  ids: readonly string[],
  schema: { version: number; fingerprint: string | null },
): Promise<void> {
  await tx
    .updateTable('tenants')
    .set({ schema_version: schema.version, fingerprint: schema.fingerprint })
    .where('id', 'in', ids)
    // One that was removed meanwhile keeps nothing but its id.
    .where('state', 'in', [...livingStates])
    .execute();
  await announceChanges(tx, ids);
}

export async function setDetails(tx: ControlTx, record: TenantRecord): Promise<void> {
  await tx
    .updateTable('tenants')
    .set({
      name: record.name,
      email: record.email,
      sort_name: record.name.toLowerCase(),
      search: searchText(record),
      quota_bytes: record.quotaBytes,
      registration: record.registration,
    })
    .where('id', '=', record.id)
    .execute();
  await announceChange(tx, record.id);
}

/** What the company was before its deletion was asked for. */
export async function selectRestoreState(tx: ControlTx, id: string): Promise<TenantState | null> {
  const row = await tx.selectFrom('tenants').select('restore_state').where('id', '=', id).executeTakeFirst();
  return row?.restore_state ?? null;
}

/** The company works: its structure is known and it may be opened. */
export async function setActive(
  tx: ControlTx,
  id: string,
  schema: { version: number; fingerprint: string | null },
): Promise<void> {
  await tx
    .updateTable('tenants')
    .set({ state: 'active', schema_version: schema.version, fingerprint: schema.fingerprint })
    .where('id', '=', id)
    .execute();
  await announceChange(tx, id);
}

/** What was sealed under the key cannot be read from here on, in copies of the databases neither. */
export async function destroyKey(tx: ControlTx, id: string): Promise<void> {
  await tx.updateTable('tenants').set({ wrapped_key: null }).where('id', '=', id).execute();
  await announceChange(tx, id);
}

/**
 * Leaves the id alone. With it go its figures, and its row in the work index, whose memory must be told afterwards.
 */
export async function bury(tx: ControlTx, id: string): Promise<void> {
  const forgotten = (['tenant_work', 'tenant_figures', 'tenant_days'] as const).map((table) =>
    tx.deleteFrom(table).where('tenant_id', '=', id).execute(),
  );
  const buried = tx
    .updateTable('tenants')
    .set({
      state: 'deleted',
      name: null,
      slug: null,
      email: null,
      sort_name: null,
      search: null,
      preset: null,
      region: null,
      quota_bytes: null,
      registration: null,
      placement: null,
      unit: null,
      server: null,
      generation: 0,
      bucket: null,
      wrapped_key: null,
      schema_version: 0,
      fingerprint: null,
      created_at: null,
      deleted_at: null,
      purge_after: null,
      restore_state: null,
    })
    .where('id', '=', id)
    .execute();
  await Promise.all([...forgotten, buried]);
  await announceChange(tx, id);
}

type Sort = 'created_at' | '-created_at' | 'name' | '-name';

function filtered(reader: ControlReader, filter: TenantFilter) {
  let query = reader.selectFrom('tenants').where('created_at', 'is not', null);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.placement !== undefined) query = query.where('placement', '=', filter.placement);
  if (filter.q !== undefined && filter.q !== '') {
    const literal = filter.q.toLowerCase().replace(/[\\%_]/g, (letter) => `\\${letter}`);
    query = query.where(sql<boolean>`search like ${`%${literal}%`} escape '\\'`);
  }
  return query;
}

/** One page in the order of `sort`; `after` is what `next` gave. */
export async function selectPage(
  reader: ControlReader,
  page: { limit: number; filter: TenantFilter; sort: Sort; after?: readonly string[] },
): Promise<{ items: readonly TenantRecord[]; next: readonly string[] | null }> {
  const column = page.sort.endsWith('name') ? ('sort_name' as const) : ('created_at' as const);
  const descending = page.sort.startsWith('-');
  const direction = descending ? 'desc' : 'asc';
  let query = filtered(reader, page.filter).selectAll();
  if (page.after !== undefined) {
    const [value = '', id = ''] = page.after;
    const operator = descending ? sql`<` : sql`>`;
    query = query.where(sql<boolean>`(${sql.ref(column)}, ${sql.ref('id')}) ${operator} (${value}, ${id})`);
  }
  const rows = await query
    .orderBy(column, direction)
    .orderBy('id', direction)
    .limit(page.limit + 1)
    .execute();
  const items = rows.slice(0, page.limit);
  const last = items.at(-1);
  const next = rows.length > page.limit && last !== undefined ? [last[column] ?? '', last.id] : null;
  return { items: items.map(toRecord), next };
}

export async function countTenants(reader: ControlReader, filter: TenantFilter): Promise<number> {
  // Without a search the counts come from an index alone.
  if (filter.q === undefined || filter.q === '') {
    let query = reader.selectFrom('tenants').select(({ fn }) => fn.countAll<number | string>().as('count'));
    query =
      filter.state === undefined ? query.where('state', '<>', 'deleted') : query.where('state', '=', filter.state);
    if (filter.placement !== undefined) query = query.where('placement', '=', filter.placement);
    return Number((await query.executeTakeFirstOrThrow()).count);
  }
  const row = await filtered(reader, filter)
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export async function countByState(reader: ControlReader): Promise<Readonly<Record<string, number>>> {
  const rows = await reader
    .selectFrom('tenants')
    .select(({ fn }) => ['state', fn.countAll<number | string>().as('count')])
    .groupBy('state')
    .execute();
  return Object.fromEntries(rows.filter((row) => row.state !== 'deleted').map((row) => [row.state, Number(row.count)]));
}

/** Companies below `head`, oldest first: answered from one index. */
export async function selectBehind(
  reader: ControlReader,
  head: number,
  only?: readonly TenantId[],
): Promise<readonly { id: TenantId; slug: string; schemaVersion: number; placement: PlacementKind }[]> {
  let query = reader
    .selectFrom('tenants')
    .select(['id', 'slug', 'schema_version', 'placement'])
    .where('state', 'in', [...livingStates])
    .where('schema_version', '<', head);
  if (only !== undefined) query = query.where('id', 'in', [...only]);
  const rows = await query.orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id as TenantId,
    slug: row.slug ?? '',
    schemaVersion: row.schema_version,
    placement: row.placement ?? 'sqlite',
  }));
}

export async function countBehind(reader: ControlReader, head: number): Promise<number> {
  const row = await reader
    .selectFrom('tenants')
    .select(({ fn }) => fn.countAll<number | string>().as('count'))
    .where('state', 'in', [...livingStates])
    .where('schema_version', '<', head)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Companies whose grace is over at `now` (ISO), and when the next one's will be. */
export async function selectPurgeable(
  reader: ControlReader,
  now: string,
): Promise<{ due: readonly TenantId[]; next: string | null }> {
  const rows = await reader
    .selectFrom('tenants')
    .select(['id', 'purge_after'])
    .where('state', '=', 'deleting')
    .where('purge_after', 'is not', null)
    .orderBy('purge_after')
    .limit(100)
    .execute();
  const due = rows.filter((row) => row.purge_after! <= now).map((row) => row.id as TenantId);
  return { due, next: rows.find((row) => row.purge_after! > now)?.purge_after ?? null };
}

/** Every record that is not a tombstone, in pages, for doctor. */
export async function* everyTenant(reader: ControlReader): AsyncGenerator<TenantRecord> {
  let after = '';
  for (;;) {
    const rows = await reader
      .selectFrom('tenants')
      .selectAll()
      .where('id', '>', after)
      .where('state', '<>', 'deleted')
      .orderBy('id')
      .limit(200)
      .execute();
    for (const row of rows) yield toRecord(row);
    if (rows.length < 200) return;
    after = rows.at(-1)!.id;
  }
}
