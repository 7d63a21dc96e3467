/** Statements on baskets. They follow the rules of documents: own, lower ranks, shared. */
import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { TenantReader, TenantTx } from '../../../kernel/database/database.ts';
import { notFound } from '../../../kernel/errors.ts';
import { isId } from '../../../kernel/ids.ts';
import type { BasketTable } from '../tables.ts';
import { accessOf, type Level, requireLevel, type Viewer } from '../visibility.ts';

export interface LoadedBasket extends BasketTable {
  readonly owner_name: string;
  readonly owner_role: string;
  readonly shared: number;
  readonly level: Level;
}
type Row = Omit<LoadedBasket, 'level'>;

function columns(viewer: Viewer): RawBuilder<unknown> {
  return sql`b.*, u.full_name as owner_name, u.role as owner_role,
    (select coalesce(max(case access when 'write' then 2 else 1 end), 0) from shares
      where target_id = b.id and grantee in (${viewer.id}, ${viewer.role})) as shared`;
}

function judged(viewer: Viewer, row: Row): LoadedBasket {
  return { ...row, level: accessOf(viewer, { ...row, trashed_at: null }) };
}

/**
 * A basket that the viewer may see, with at least the wanted level. In a write transaction its row is kept from being
 * deleted until the commit.
 * @throws not_found (unknown, malformed, not visible), forbidden
 */
export async function loadBasket(
  source: TenantReader | TenantTx,
  viewer: Viewer,
  id: string,
  wanted: Level,
): Promise<LoadedBasket> {
  if (!isId('basket', id)) throw notFound();
  const lock = 'dialect' in source && source.dialect === 'postgres' ? sql`for update of b` : sql``;
  const query = sql<Row>`select ${columns(viewer)} from baskets b join users u on u.id = b.owner_id
    where b.id = ${id} ${lock}`;
  const { rows } = await source.executeQuery(query.compile(source));
  if (rows[0] === undefined) throw notFound();
  const basket = judged(viewer, rows[0]);
  requireLevel(basket.level, wanted);
  return basket;
}

export interface BasketPage {
  readonly q?: string | undefined;
  readonly descending: boolean;
  readonly limit: number;
  readonly after?: readonly [string, string] | undefined;
}

function conditions(viewer: Viewer, q: string | undefined): RawBuilder<unknown>[] {
  const all: RawBuilder<unknown>[] = [sql`1 = 1`];
  if (q !== undefined) {
    all.push(sql`lower(b.name) like ${`%${q.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`} escape '\\'`);
  }
  if (viewer.definition.sees === 'all') return all;
  const reasons = [
    sql`b.owner_id = ${viewer.id}`,
    sql`b.id in (select target_id from shares where grantee in (${viewer.id}, ${viewer.role}))`,
  ];
  if (viewer.definition.sees === 'lower') reasons.push(sql`u.role in (${sql.join(viewer.lower)})`);
  all.push(sql`(${sql.join(reasons, sql` or `)})`);
  return all;
}

export async function listBaskets(source: TenantReader, viewer: Viewer, page: BasketPage): Promise<LoadedBasket[]> {
  const all = conditions(viewer, page.q);
  const direction = page.descending ? sql`desc` : sql`asc`;
  if (page.after !== undefined) {
    const beyond = page.descending ? sql`<` : sql`>`;
    all.push(sql`(b.created_at, b.id) ${beyond} (${page.after[0]}, ${page.after[1]})`);
  }
  const query = sql`select ${columns(viewer)} from baskets b join users u on u.id = b.owner_id
    where ${sql.join(all, sql` and `)} order by b.created_at ${direction}, b.id ${direction} limit ${page.limit}`;
  const { rows } = await source.executeQuery(query.compile(source) as CompiledQuery<Row>);
  return rows.map((row) => judged(viewer, row));
}

export async function countBaskets(source: TenantReader, viewer: Viewer, q: string | undefined): Promise<number> {
  const query = sql`select count(*) as n from baskets b join users u on u.id = b.owner_id
    where ${sql.join(conditions(viewer, q), sql` and `)}`;
  const { rows } = await source.executeQuery(query.compile(source) as CompiledQuery<{ n: number }>);
  return Number(rows[0]!.n);
}

/** False where the owner has a basket of this name. */
export async function insertBasket(tx: TenantTx, row: BasketTable): Promise<boolean> {
  const made = await tx
    .insertInto('baskets')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return made !== undefined;
}

export async function basketNameTaken(source: TenantReader, owner: string, name: string): Promise<boolean> {
  const row = await source
    .selectFrom('baskets')
    .select('id')
    .where('owner_id', '=', owner)
    .where('name', '=', name)
    .executeTakeFirst();
  return row !== undefined;
}

export async function changeBasket(
  tx: TenantTx,
  id: string,
  changes: Partial<Pick<BasketTable, 'name' | 'description' | 'updated_at'>>,
): Promise<void> {
  await tx.updateTable('baskets').set(changes).where('id', '=', id).execute();
}

/** Whether documents that are not in the trash, or unfinished uploads, are in it. */
export async function basketHoldsAny(source: TenantReader, id: string): Promise<boolean> {
  const document = await source
    .selectFrom('documents')
    .select('id')
    .where('basket_id', '=', id)
    .where('trashed_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return document !== undefined;
}

/** Removes it with its shares. What lies in the trash comes back without a basket. */
export async function removeBasket(tx: TenantTx, id: string): Promise<void> {
  await tx.updateTable('documents').set({ basket_id: '' }).where('basket_id', '=', id).execute();
  await tx.deleteFrom('shares').where('target_id', '=', id).execute();
  await tx.deleteFrom('baskets').where('id', '=', id).execute();
}
