/**
 * Figures of companies: how many documents and bytes each had when it was last counted, and by day. A company is counted
 * where its documents change, by a job of its own; whoever asks reads the control database and opens no company.
 *
 * A figure may be a minute old, or older where a company does not answer; it never leads a decision. It goes with the
 * company.
 */
import { type Clock, day, isoTime } from '../clock.ts';
import type { ControlDb, ControlReader, ControlTx } from '../database/database.ts';
import type { TenantId } from '../ids.ts';
import { livingStates } from './repository.ts';
import './tables.ts';

export interface Counted {
  /** Not in the trash. */
  readonly documents: number;
  /** Logical bytes of all versions. */
  readonly bytes: number;
  readonly databaseBytes: number;
  /** Documents made on each day (`2026-11-21`) since `countFrom`. */
  readonly added: ReadonlyMap<string, number>;
}

export interface FiguresOfDay {
  readonly day: string;
  readonly added: number;
  /** As they stood at the last count of that day; null where it was not counted on the day itself. */
  readonly documents: number | null;
  readonly bytes: number | null;
  readonly databaseBytes: number | null;
}

export interface FiguresOfTenant {
  readonly tenantId: TenantId;
  readonly name: string;
  readonly documents: number;
  readonly bytes: number;
  readonly databaseBytes: number;
  readonly countedAt: string;
}

export interface FleetFigures {
  /** Companies that were ever counted, and their sums. */
  readonly companies: number;
  readonly documents: number;
  readonly bytes: number;
  readonly databaseBytes: number;
  /** Documents made, by day; days without any are left out. */
  readonly days: readonly { readonly day: string; readonly added: number }[];
  /** Those with most bytes, the largest first. */
  readonly largest: readonly FiguresOfTenant[];
}

export interface Figures {
  /** The first day of which documents are to be counted: those before it are settled. */
  countFrom(tenantId: TenantId): Promise<string>;
  /** Keeps what was counted now. Does nothing for a company that is gone, or going. */
  note(tenantId: TenantId, counted: Counted): Promise<void>;
  /** @param since the first day */
  ofTenant(tenantId: TenantId, since: string): Promise<readonly FiguresOfDay[]>;
  ofFleet(since: string, largest: number): Promise<FleetFigures>;
}

/** How far back a company is counted that never was before. */
const firstDays = 366;

/** The day of a time, in UTC. */
export const dayOf = (time: string): string => time.slice(0, 10);

export function createFigures({ control, clock }: { readonly control: ControlDb; readonly clock: Clock }): Figures {
  return {
    async countFrom(tenantId) {
      const row = await control.read
        .selectFrom('tenant_figures')
        .select('counted_at')
        .where('tenant_id', '=', tenantId)
        .executeTakeFirst();
      return dayOf(row?.counted_at ?? isoTime(clock.now() - firstDays * day));
    },
    note: (tenantId, counted) => control.transaction((tx) => write(tx, tenantId, counted, clock.iso())),
    async ofTenant(tenantId, since) {
      const rows = await control.read
        .selectFrom('tenant_days')
        .select(['day', 'added', 'documents', 'bytes', 'database_bytes'])
        .where('tenant_id', '=', tenantId)
        .where('day', '>=', since)
        .orderBy('day')
        .execute();
      return rows.map((row) => ({
        day: row.day,
        added: Number(row.added),
        documents: orNull(row.documents),
        bytes: orNull(row.bytes),
        databaseBytes: orNull(row.database_bytes),
      }));
    },
    async ofFleet(since, most) {
      const [total, days, largest] = await Promise.all([
        totals(control.read),
        addedByDay(control.read, since),
        largestOf(control.read, most),
      ]);
      return { ...total, days, largest };
    },
  };
}

const orNull = (value: number | string | null): number | null => (value === null ? null : Number(value));

async function write(tx: ControlTx, tenantId: TenantId, counted: Counted, at: string): Promise<void> {
  const there = await tx
    .selectFrom('tenants')
    .select('id')
    .where('id', '=', tenantId)
    .where('state', 'in', [...livingStates])
    .executeTakeFirst();
  if (there === undefined) return;
  const { documents, bytes, databaseBytes } = counted;
  const now = { documents, bytes, database_bytes: databaseBytes };
  await tx
    .insertInto('tenant_figures')
    .values({ tenant_id: tenantId, ...now, counted_at: at })
    .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet({ ...now, counted_at: at }))
    .execute();
  const today = dayOf(at);
  const figures = { added: counted.added.get(today) ?? 0, ...now };
  await tx
    .insertInto('tenant_days')
    .values({ tenant_id: tenantId, day: today, ...figures })
    .onConflict((conflict) => conflict.columns(['tenant_id', 'day']).doUpdateSet(figures))
    .execute();
  const before = [...counted.added].filter(([of]) => of !== today);
  if (before.length > 0) await writeAdded(tx, tenantId, before);
}

/** In one statement: a company that is counted for the first time may have hundreds of days, and others wait. */
async function writeAdded(tx: ControlTx, tenantId: TenantId, days: readonly (readonly [string, number])[]) {
  const nothing = { documents: null, bytes: null, database_bytes: null };
  await tx
    .insertInto('tenant_days')
    .values(days.map(([of, added]) => ({ tenant_id: tenantId, day: of, added, ...nothing })))
    .onConflict((conflict) =>
      conflict.columns(['tenant_id', 'day']).doUpdateSet(({ ref }) => ({ added: ref('excluded.added') })),
    )
    .execute();
}

async function totals(reader: ControlReader) {
  const row = await reader
    .selectFrom('tenant_figures')
    .select(({ fn }) => [
      fn.countAll<number | string>().as('companies'),
      fn.sum<number | string | null>('documents').as('documents'),
      fn.sum<number | string | null>('bytes').as('bytes'),
      fn.sum<number | string | null>('database_bytes').as('databaseBytes'),
    ])
    .executeTakeFirstOrThrow();
  return {
    companies: Number(row.companies),
    documents: Number(row.documents ?? 0),
    bytes: Number(row.bytes ?? 0),
    databaseBytes: Number(row.databaseBytes ?? 0),
  };
}

async function addedByDay(reader: ControlReader, since: string) {
  const rows = await reader
    .selectFrom('tenant_days')
    .select(({ fn }) => ['day', fn.sum<number | string>('added').as('added')])
    .where('day', '>=', since)
    .groupBy('day')
    .orderBy('day')
    .execute();
  return rows.map((row) => ({ day: row.day, added: Number(row.added) }));
}

async function largestOf(reader: ControlReader, most: number): Promise<readonly FiguresOfTenant[]> {
  const rows = await reader
    .selectFrom('tenant_figures as figures')
    .innerJoin('tenants', 'tenants.id', 'figures.tenant_id')
    .select(['tenants.id', 'tenants.name', 'figures.documents', 'figures.bytes', 'database_bytes', 'counted_at'])
    .where('tenants.state', '<>', 'deleted')
    .orderBy('figures.bytes', 'desc')
    .orderBy('figures.tenant_id', 'desc')
    .limit(most)
    .execute();
  return rows.map((row) => ({
    tenantId: row.id as TenantId,
    name: row.name ?? '',
    documents: Number(row.documents),
    bytes: Number(row.bytes),
    databaseBytes: Number(row.database_bytes),
    countedAt: row.counted_at,
  }));
}
