/**
 * Attempts on what is not the caller's: of one caller and one action in one minute the first is written at once, the
 * others are counted and written as one row. Memory is bounded; what is counted is written at the end of its minute,
 * when room is needed, and at the close.
 */
import { type Clock, minute } from '../clock.ts';
import type { Tenant } from '../handles.ts';
import type { AuditEntry } from './audit.ts';
import { actorText } from './trail.ts';

export interface Attempts {
  add(tenant: Tenant | null, entry: AuditEntry): void;
  /** Writes what is counted now and resolves when everything is written. */
  flush(): Promise<void>;
  close(): Promise<void>;
  /** Callers and actions that are counted now. */
  readonly size: number;
}

export interface AttemptsOptions {
  readonly clock: Clock;
  /** Writes one row; its failures are logged by `failed`, since nobody waits. */
  write(tenant: Tenant | null, entry: AuditEntry): Promise<void>;
  failed(error: unknown, entry: AuditEntry): void;
  /** Callers and actions counted at once. Default 10,000. */
  readonly limit?: number;
}

interface Counted {
  readonly tenant: Tenant | null;
  /** The latest one: its target stands for all of them. */
  entry: AuditEntry;
  readonly minute: number;
  more: number;
}

export function createAttempts({ clock, write, failed, limit = 10_000 }: AttemptsOptions): Attempts {
  const counted = new Map<string, Counted>();
  const writing = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  function start(tenant: Tenant | null, entry: AuditEntry): void {
    const done = write(tenant, entry)
      .catch((error) => failed(error, entry))
      .finally(() => writing.delete(done));
    writing.add(done);
  }

  function end(key: string, item: Counted): void {
    counted.delete(key);
    if (item.more === 0) return;
    start(item.tenant, { ...item.entry, details: { ...item.entry.details, count: item.more } });
  }

  function endOld(now: number): void {
    for (const [key, item] of counted) if (item.minute !== now) end(key, item);
  }

  function schedule(): void {
    if (timer !== null || closed || counted.size === 0) return;
    timer = setTimeout(
      () => {
        timer = null;
        endOld(minuteOf(clock));
        schedule();
      },
      minute - (clock.now() % minute) + 50,
    );
    timer.unref();
  }

  async function flush(): Promise<void> {
    for (const [key, item] of counted) end(key, item);
    while (writing.size > 0) await Promise.all(writing);
  }

  return {
    add(tenant, entry) {
      const now = minuteOf(clock);
      const key = keyOf(tenant, entry);
      const known = counted.get(key);
      if (known?.minute === now) {
        known.entry = entry;
        known.more += 1;
        return;
      }
      if (known !== undefined) end(key, known);
      if (counted.size >= limit) endOld(now);
      const oldest = counted.size >= limit ? counted.entries().next().value : undefined;
      if (oldest !== undefined) end(...oldest);
      counted.set(key, { tenant, entry, minute: now, more: 0 });
      start(tenant, entry);
      if (closed) void flush();
      else schedule();
    },
    flush,
    get size() {
      return counted.size;
    },
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await flush();
    },
  };
}

function minuteOf(clock: Clock): number {
  return Math.floor(clock.now() / minute);
}

/** Whoever has no name is known by the address. */
function keyOf(tenant: Tenant | null, entry: AuditEntry): string {
  const named = entry.actor.kind === 'user' || entry.actor.kind === 'operator';
  const caller = named ? actorText(entry.actor) : `${entry.actor.kind} ${entry.source?.ip ?? ''}`;
  return JSON.stringify([tenant?.id ?? null, caller, entry.action]);
}
