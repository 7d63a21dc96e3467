/**
 * Announcements of work where several processes share the index: `announced_until` of a tenant's row says until when
 * somebody who announced is known to live.
 *
 * - The time is moved on while an announcement is open, so that only a crash makes the tenant due by it.
 * - One that was taken back leaves the time as it is, since another process may rely on it: one visit for nothing, when
 *   the tenant has been quiet for so long.
 * - One costs no query while this process has written a time for the tenant that is far enough ahead.
 */
import { sql } from 'kysely';
import { type Clock, isoTime } from '../clock.ts';
import type { ControlDb, ControlTx } from '../database/database.ts';
import type { TenantId } from '../ids.ts';
import type { Logger } from '../log.ts';
import './tables.ts';
import { batches, type Given, valuesOf } from './work-batches.ts';

/** Due never: what a row says while nobody marked the tenant. */
export const never = '9999-12-31T23:59:59.999Z';

export interface AnnouncementOptions {
  readonly control: ControlDb;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long (ms) a written time lasts. */
  readonly openTime: number;
}

interface Announced {
  /** Announcements that have not ended. */
  open: number;
  /** The time that is durable (ms); 0 before the first write. */
  until: number;
}

export interface Announcements {
  /**
   * Resolves when the announcement is durable, to what ends it.
   * @throws unavailable where the control database is down
   */
  begin(tenantId: TenantId, dueAt: number): Promise<() => void>;
  /** The row of one in the caller's transaction; it lasts as long as one that nobody moves on. */
  reserve(tx: ControlTx, tenantId: TenantId, dueAt: number): Promise<void>;
  forget(tenantId: TenantId): void;
  /** Writes what waits to be written. */
  close(): Promise<void>;
}

export function createAnnouncements({ control, clock, log, openTime }: AnnouncementOptions): Announcements {
  const announced = new Map<TenantId, Announced>();
  const writes = batches((given) => control.transaction((tx) => writeAnnouncements(tx, given)));
  let moving: NodeJS.Timeout | undefined;

  async function write(tenantId: TenantId, entry: Announced, until: number): Promise<void> {
    await writes.add(tenantId, until);
    entry.until = Math.max(entry.until, until);
  }

  function moveOn(): void {
    const now = clock.now();
    for (const [tenantId, entry] of announced) {
      if (entry.open === 0 && entry.until <= now) announced.delete(tenantId);
      if (entry.open === 0) continue;
      write(tenantId, entry, now + openTime).catch((error) =>
        log.warn({ err: error, company: tenantId }, 'announced work could not be kept announced; trying again'),
      );
    }
    if (announced.size > 0) return;
    clearInterval(moving);
    moving = undefined;
  }

  return {
    async begin(tenantId, dueAt) {
      const entry = announced.get(tenantId) ?? { open: 0, until: 0 };
      announced.set(tenantId, entry);
      entry.open += 1;
      moving ??= setInterval(moveOn, openTime / 4).unref();
      let ended = false;
      const end = () => {
        if (!ended) entry.open -= 1;
        ended = true;
      };
      try {
        const now = clock.now();
        if (entry.until < now + openTime / 2) await write(tenantId, entry, Math.max(dueAt, now + openTime));
      } catch (error) {
        end();
        throw error;
      }
      return end;
    },
    reserve: (tx, tenantId, dueAt) =>
      writeAnnouncements(tx, new Map([[tenantId, Math.max(dueAt, clock.now() + openTime)]])),
    forget: (tenantId) => void announced.delete(tenantId),
    async close() {
      clearInterval(moving);
      await writes.idle();
    },
  };
}

async function writeAnnouncements(tx: ControlTx, given: Given): Promise<void> {
  const rows = valuesOf(given).map(([tenantId, until]) => ({
    tenant_id: tenantId,
    due_at: never,
    generation: 1,
    announced_until: isoTime(until),
  }));
  await tx
    .insertInto('tenant_work')
    .values(rows)
    .onConflict((on) =>
      on.column('tenant_id').doUpdateSet({
        announced_until: sql<string>`greatest(tenant_work.announced_until, excluded.announced_until)`,
      }),
    )
    .execute();
}
