/** Statements on a company's people. Writing ones take the transaction that they belong to. */
import { sql } from 'kysely';
import { isoTime } from '../../kernel/clock.ts';
import type { TenantReader, TenantTx } from '../../kernel/database/database.ts';
import type { Role } from '../../kernel/roles.ts';
import type { UserSort } from './contract.ts';
import type { UserTable } from './tables.ts';

export type UserRow = Omit<UserTable, 'role'> & { role: Role };

export function userById(reader: TenantReader, id: string): Promise<UserRow | undefined> {
  return reader.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst() as Promise<UserRow | undefined>;
}

/** By sign-in name in lower case: an address has an `@`, a user name never has. */
export function userByName(reader: TenantReader, name: string): Promise<UserRow | undefined> {
  const column = name.includes('@') ? 'email' : 'username';
  const query = reader.selectFrom('users').selectAll().where(column, '=', name);
  return query.executeTakeFirst() as Promise<UserRow | undefined>;
}

export async function insertUser(tx: TenantTx, row: UserRow): Promise<void> {
  await tx.insertInto('users').values(row).execute();
}

export async function updateUser(
  tx: TenantTx,
  id: string,
  change: Partial<Omit<UserTable, 'id' | 'created_at'>>,
): Promise<void> {
  await tx.updateTable('users').set(change).where('id', '=', id).execute();
}

/** Sets a password where the one that was checked is still the stored one. */
export async function replacePasswordHash(
  tx: TenantTx,
  id: string,
  from: string | null,
  to: string,
  now: number,
): Promise<boolean> {
  const done = await tx
    .updateTable('users')
    .set({ password_hash: to, updated_at: isoTime(now) })
    .where('id', '=', id)
    .where((where) => (from === null ? where('password_hash', 'is', null) : where('password_hash', '=', from)))
    .executeTakeFirst();
  return Number(done.numUpdatedRows) === 1;
}

export async function activity(reader: TenantReader): Promise<{ users: number; lastActivityAt: string | null }> {
  const users = await reader
    .selectFrom('users')
    .select((select) => select.fn.countAll().as('count'))
    .where('is_active', '=', 1)
    .executeTakeFirstOrThrow();
  const seen = await reader
    .selectFrom('sessions')
    .select((select) => select.fn.max('last_seen_at').as('at'))
    .executeTakeFirstOrThrow();
  return { users: Number(users.count), lastActivityAt: seen.at ?? null };
}

export interface UserFilter {
  /** Roles whose people may be seen; `self` is seen whatever the role. Null: everybody. */
  readonly roles: readonly string[] | null;
  readonly self: string;
  readonly q?: string | undefined;
  readonly role?: string | undefined;
  readonly isActive?: boolean | undefined;
}

function filtered(reader: TenantReader, filter: UserFilter) {
  let query = reader.selectFrom('users');
  const { roles } = filter;
  if (roles !== null) {
    query = query.where((where) =>
      where.or([where('id', '=', filter.self), ...(roles.length === 0 ? [] : [where('role', 'in', [...roles])])]),
    );
  }
  if (filter.role !== undefined) query = query.where('role', '=', filter.role);
  if (filter.isActive !== undefined) query = query.where('is_active', '=', Number(filter.isActive));
  if (filter.q !== undefined && filter.q !== '') {
    const pattern = `%${filter.q.toLowerCase().replaceAll(/[\\%_]/g, '\\$&')}%`;
    const like = (column: 'full_name' | 'email' | 'username') =>
      sql<boolean>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`;
    query = query.where((where) => where.or([like('full_name'), like('email'), like('username')]));
  }
  return query;
}

export async function listUsers(
  reader: TenantReader,
  filter: UserFilter,
  page: { limit: number; sort: UserSort; after?: readonly [string, string] | undefined },
): Promise<UserRow[]> {
  const descending = page.sort.startsWith('-');
  const column = page.sort.replace('-', '') as 'created_at' | 'full_name' | 'email';
  const direction = descending ? 'desc' : 'asc';
  const beyond = descending ? '<' : '>';
  let query = filtered(reader, filter);
  if (page.after !== undefined) {
    const [value, id] = page.after;
    query = query.where((where) =>
      where.or([where(column, beyond, value), where.and([where(column, '=', value), where('id', beyond, id)])]),
    );
  }
  const rows = query.selectAll().orderBy(column, direction).orderBy('id', direction).limit(page.limit);
  return rows.execute() as Promise<UserRow[]>;
}

export async function countUsers(reader: TenantReader, filter: UserFilter): Promise<number> {
  const row = await filtered(reader, filter)
    .select((select) => select.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}
