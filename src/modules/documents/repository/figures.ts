/** Statements that count a company's documents. */
import { sql } from 'kysely';
import type { TenantReader } from '../../../kernel/database/database.ts';
import '../tables.ts';

/** What operators see of a company's documents. */
export async function readStats(source: TenantReader) {
  const row = await source
    .selectNoFrom((eb) => [
      eb
        .selectFrom('documents')
        .select((inner) => inner.fn.countAll<number>().as('n'))
        .where('trashed_at', 'is', null)
        .as('documents'),
      eb
        .selectFrom('files')
        .select((inner) => inner.fn.countAll<number>().as('n'))
        .where('refs', '>', 0)
        .as('files'),
      eb.selectFrom('document_usage').select('bytes').where('id', '=', 1).as('bytes'),
      eb
        .selectFrom('documents')
        .select((inner) => inner.fn.max('updated_at').as('at'))
        .where('trashed_at', 'is', null)
        .as('lastActivityAt'),
    ])
    .executeTakeFirstOrThrow();
  return {
    documents: Number(row.documents),
    files: Number(row.files),
    bytes: Number(row.bytes),
    lastActivityAt: row.lastActivityAt,
  };
}

/** Documents by the day (UTC) on which they were made, since the first moment of a day; those in the trash too. */
export async function documentsByDay(source: TenantReader, since: string): Promise<ReadonlyMap<string, number>> {
  // Each half has an index of its own.
  const made = (trashed: boolean) =>
    source
      .selectFrom('documents')
      .select([sql<string>`substr(created_at, 1, 10)`.as('day'), sql<number | string>`count(*)`.as('added')])
      .where('created_at', '>=', since)
      .where('trashed_at', trashed ? 'is not' : 'is', null)
      .groupBy(sql`substr(created_at, 1, 10)`)
      .execute();
  const days = new Map<string, number>();
  for (const row of (await Promise.all([made(false), made(true)])).flat()) {
    days.set(row.day, (days.get(row.day) ?? 0) + Number(row.added));
  }
  return days;
}
