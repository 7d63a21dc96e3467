/**
 * The work index where several processes share the control database (PostgreSQL): `tenant_work` alone says what is due,
 * and who visits is decided there.
 *
 * Guarantees
 * - Work is never lost. A mark is durable before the commit that it is about, and says until when that commit may still
 *   come; a visit that found nothing leaves the row due at that time instead of removing it.
 * - One visit to one tenant at a time, whatever the number of processes: a claim is a lease, taken with SKIP LOCKED and
 *   renewed while the visit runs. Where it cannot be renewed the claim's signal ends the visit before the lease does.
 * - A process claims only tenants whose placement it can serve.
 * - What is announced makes the tenant due when whoever announced it has died (`work-announcements.ts`).
 * - Marks that come at the same time share one statement. Other processes hear of work by message, and look by
 *   themselves every `lookEvery`.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { type Clock, hour, isoTime, second } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import type { TenantId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { PlacementKind } from '../placements/placement.ts';
import './tables.ts';
import '../tenants/tables.ts';
import { createAnnouncements, never } from './work-announcements.ts';
import { batches, type Given, retryOnce, valuesOf } from './work-batches.ts';
import type { WorkClaim, WorkIndex } from './work-index.ts';

/** Payload: which process says that somewhere a tenant became due. */
export const workChannel = 'strongroom_work';

export interface SharedWorkIndexOptions {
  /** Transactions that take no turn (`PostgresControl.unordered`). */
  readonly control: ControlDb;
  readonly clock: Clock;
  readonly log: Logger;
  /** The placements that this process can visit now; null for all. */
  readonly serves?: () => readonly PlacementKind[] | null;
  /** Milliseconds; for tests. Default 2 s, 30 s, 35 s. */
  readonly lookEvery?: number;
  readonly leaseTime?: number;
  readonly openTime?: number;
}

export interface SharedWorkIndex extends WorkIndex {
  /** A message came, or may have been missed (null): looks at the next chance. */
  heard(from: string | null): void;
}

/** A tenant that is paused is looked at again after this, in case the mark of its return was lost. */
const parked = hour;
const claimsAtOnce = 16;

interface Held {
  readonly abort: AbortController;
  /** `performance.now()` when the lease ends. */
  until: number;
}

export function createSharedWorkIndex(options: SharedWorkIndexOptions): SharedWorkIndex {
  const { control, clock, log } = options;
  const { lookEvery = 2 * second, leaseTime = 30 * second, openTime = 35 * second } = options;
  const owner = randomUUID();
  const listeners = new Set<(dueAt: number) => void>();
  const held = new Map<TenantId, Held>();
  const ending = new Set<Promise<void>>();
  const marks = batches((given) => writeMarks(control, given, isoTime(clock.now() + openTime)));
  const seconds = batches((given) => writeAgain(control, given, owner));
  const announcements = createAnnouncements({ control, clock, log, openTime });
  let known = 0;
  let lookAt = 0;
  let renewing: NodeJS.Timeout | undefined;

  function tell(dueAt: number): void {
    known = Math.min(known, dueAt);
    for (const listener of listeners) listener(dueAt);
  }

  async function begin(tenantId: TenantId, dueAt: number): Promise<() => void> {
    await marks.add(tenantId, dueAt);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      tell(dueAt);
      // A visit that came in between has put the row off; and other processes learn of it. A hint: nobody waits.
      seconds.add(tenantId, dueAt).catch((error) => log.debug({ err: error }, 'a second mark was not written'));
    };
  }

  async function announce(tenantId: TenantId, dueAt: number): Promise<(needed?: number) => void> {
    const end = await announcements.begin(tenantId, dueAt);
    let ended = false;
    return (needed) => {
      if (ended) return;
      ended = true;
      if (needed === undefined) return end();
      // Announced until the mark is durable; where it cannot be written, the end of the announcement brings the visit.
      begin(tenantId, needed)
        .then((tellOthers) => tellOthers())
        .catch((error) => log.warn({ err: error, company: tenantId }, 'work that is due was not marked'))
        .finally(end);
    };
  }

  async function claimDue(now: number, limit: number): Promise<readonly WorkClaim[]> {
    await Promise.all(ending);
    const kinds = options.serves?.() ?? null;
    lookAt = clock.now() + lookEvery;
    if (kinds?.length === 0) {
      known = Number.POSITIVE_INFINITY;
      return [];
    }
    const wanted = Math.min(limit, claimsAtOnce);
    const until = isoTime(clock.now() + leaseTime);
    const began = performance.now();
    known = Number.POSITIVE_INFINITY;
    let next: string | null;
    let claims: WorkClaim[];
    try {
      claims = await claim(isoTime(now), until, wanted, kinds);
      next = claims.length < wanted ? await nextInRows(kinds) : isoTime(now);
    } catch (error) {
      known = 0;
      throw error;
    }
    for (const { tenantId } of claims) held.get(tenantId)!.until = began + leaseTime;
    if (next !== null && next < never) known = Math.min(known, Date.parse(next));
    if (held.size > 0) keepLeases();
    return claims;
  }

  async function claim(
    now: string,
    until: string,
    limit: number,
    kinds: readonly PlacementKind[] | null,
  ): Promise<WorkClaim[]> {
    const rows = await control.transaction(async (tx) => {
      const placed =
        kinds === null
          ? sql``
          : sql`and exists (select 1 from tenants t where t.id = w.tenant_id and t.placement in (${sql.join(kinds)}))`;
      const result = await sql<{ tenant_id: string; generation: number }>`
        update tenant_work set owner = ${owner}, lease_until = ${until}, due_at = ${never},
          announced_until = case when announced_until > ${now} then announced_until end
        where tenant_id in (
          select w.tenant_id from tenant_work w
          where ((w.owner is null and (w.due_at <= ${now} or w.announced_until <= ${now})) or w.lease_until <= ${now}) ${placed}
          order by least(w.due_at, w.announced_until) limit ${sql.lit(limit)} for update of w skip locked
        ) returning tenant_id, generation`.execute(tx);
      return result.rows;
    });
    return rows.map((row) => {
      const tenantId = row.tenant_id as TenantId;
      const abort = new AbortController();
      held.set(tenantId, { abort, until: performance.now() + leaseTime });
      return { tenantId, generation: Number(row.generation), signal: abort.signal };
    });
  }

  /** When the next row becomes due that nobody visits; or a lease ends that nobody renews. */
  async function nextInRows(kinds: readonly PlacementKind[] | null): Promise<string | null> {
    let query = control.read
      .selectFrom('tenant_work')
      .select(
        sql<string | null>`min(case when owner is null then least(due_at, announced_until) else lease_until end)`.as(
          'next',
        ),
      )
      .where((eb) => eb.or([eb('owner', 'is', null), eb('owner', '!=', owner)]));
    if (kinds !== null) {
      query = query.where('tenant_id', 'in', (eb) =>
        eb
          .selectFrom('tenants')
          .select('id')
          .where('placement', 'in', [...kinds]),
      );
    }
    return (await query.executeTakeFirst())?.next ?? null;
  }

  function keepLeases(): void {
    renewing ??= setInterval(() => {
      if (held.size === 0) {
        clearInterval(renewing);
        renewing = undefined;
        return;
      }
      void renew();
    }, leaseTime / 4).unref();
  }

  async function renew(): Promise<void> {
    const began = performance.now();
    const ids = [...held.keys()];
    try {
      const kept = await control.transaction(async (tx) => {
        const result = await sql<{ tenant_id: string }>`
          update tenant_work set lease_until = ${isoTime(clock.now() + leaseTime)}
          where owner = ${owner} and tenant_id in (
            select tenant_id from tenant_work where tenant_id in (${sql.join(ids)}) order by tenant_id for update
          ) returning tenant_id`.execute(tx);
        return new Set(result.rows.map((row) => row.tenant_id));
      });
      for (const id of ids) {
        const one = held.get(id);
        if (one === undefined) continue;
        if (kept.has(id)) one.until = began + leaseTime;
        else one.abort.abort(new Error('another process visits this company'));
      }
    } catch (error) {
      log.warn({ err: error }, 'leases of visits could not be renewed; trying again');
    }
    // One more try would come too late: the visit ends before somebody else may begin one.
    for (const one of held.values()) {
      if (one.until - performance.now() < leaseTime / 3) one.abort.abort(new Error('the lease of the visit ran out'));
    }
  }

  /** Gives the row back: due at `due` or when it was marked meanwhile, or when a commit that was announced may have come. */
  function giveBack(claimed: WorkClaim, due: number | null): void {
    const { tenantId } = claimed;
    held.delete(tenantId);
    const next = due === null || due === Number.POSITIVE_INFINITY ? never : isoTime(due);
    const now = clock.iso();
    const done = retryOnce(() =>
      control.transaction(async (tx) => {
        const gone = await tx
          .deleteFrom('tenant_work')
          .where('tenant_id', '=', tenantId)
          .where('owner', '=', owner)
          .where('due_at', '=', never)
          .where('announced_until', 'is', null)
          .where((eb) => eb.or([eb('open_until', 'is', null), eb('open_until', '<=', now)]))
          .where(sql<boolean>`${next} = ${never}`)
          .executeTakeFirst();
        if (gone.numDeletedRows > 0n) return;
        await sql`update tenant_work set owner = null, lease_until = null,
            due_at = least(due_at, ${next}, case when open_until > ${now} then open_until else ${never} end)
          where tenant_id = ${tenantId} and owner = ${owner}`.execute(tx);
      }),
    )
      // Nothing is lost: the lease runs out, and the tenant is visited again.
      .catch((error) => log.warn({ err: error, company: tenantId }, 'a visit could not be given back'))
      .finally(() => ending.delete(done));
    ending.add(done);
    void done.then(() => tell(due ?? Number.POSITIVE_INFINITY));
  }

  return {
    begin,
    announce,
    reserve: announcements.reserve,
    mark: async (tenantId, dueAt) => (await begin(tenantId, dueAt))(),
    claimDue,
    clear(claimed, nextDue) {
      giveBack(claimed, nextDue);
      return true;
    },
    retry: giveBack,
    park: (claimed) => giveBack(claimed, clock.now() + parked),
    async forget(tenantId) {
      await Promise.all(ending);
      announcements.forget(tenantId);
      await control.transaction((tx) => tx.deleteFrom('tenant_work').where('tenant_id', '=', tenantId).execute());
    },
    // What other processes marked is found by looking.
    nextDue: () => Math.min(known, lookAt),
    heard(from) {
      if (from === owner) return;
      lookAt = 0;
      for (const listener of listeners) listener(clock.now());
    },
    onEarlier(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      clearInterval(renewing);
      await Promise.all(ending);
      await Promise.all([marks.idle(), seconds.idle(), announcements.close()]);
    },
  };
}

async function writeMarks(control: ControlDb, given: Given, openUntil: string): Promise<void> {
  const rows = valuesOf(given).map(([tenantId, dueAt]) => ({
    tenant_id: tenantId,
    due_at: isoTime(dueAt),
    generation: 1,
    open_until: openUntil,
  }));
  await control.transaction((tx) =>
    tx
      .insertInto('tenant_work')
      .values(rows)
      .onConflict((on) =>
        on.column('tenant_id').doUpdateSet({
          due_at: sql<string>`least(tenant_work.due_at, excluded.due_at)`,
          generation: sql<number>`tenant_work.generation + 1`,
          open_until: sql<string>`greatest(tenant_work.open_until, excluded.open_until)`,
        }),
      )
      .execute(),
  );
}

/** After the commit: earlier again where a visit has put it off, and the message. */
async function writeAgain(control: ControlDb, given: Given, owner: string): Promise<void> {
  const rows = valuesOf(given).map(([tenantId, dueAt]) => sql`(${tenantId}, ${isoTime(dueAt)})`);
  await control.transaction(async (tx) => {
    await sql`with given (tenant_id, due_at) as (values ${sql.join(rows)}), again as (
        update tenant_work w set due_at = given.due_at from given
        where w.tenant_id = given.tenant_id and w.due_at > given.due_at returning 1
      ) select pg_notify(${sql.lit(workChannel)}, ${owner})`.execute(tx);
  });
}
