/**
 * What a process needs beside others on one control database (PostgreSQL), put together: messages and looks by which it
 * hears of changed companies and of work, the work index of several processes, and a turn of the chores now and then.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Clock } from './clock.ts';
import { type ControlChannel, listenToControl } from './database/control-channel.ts';
import type { PostgresControl } from './database/control-postgres.ts';
import type { TenantId } from './ids.ts';
import { createSharedWorkIndex, type SharedWorkIndex, workChannel } from './jobs/work-index-shared.ts';
import type { Logger } from './log.ts';
import type { PlacementKind } from './placements/placement.ts';
import { createProcessCount, type ProcessCount, processChannel } from './process-count.ts';
import type { Secrets } from './secrets.ts';
import { type ChangeWatch, changeChannel, createChangeWatch } from './tenants/changes.ts';

/** Attempts that count in every process, so that several do not allow several times as many. */
export interface SharedAttempts {
  /** Tells the others. Never fails, never waits: a message that is lost costs one count. */
  tell(message: string): void;
  /** What others told. */
  hear(heard: (message: string) => void): void;
  /** A value as messages may carry it: nobody can read it from them. */
  digest(value: string): string;
}

/** Payload: the process, a colon, the message. */
const attemptChannel = 'strongroom_attempts';

export interface SharingHooks {
  changed(id: TenantId): void;
  changedAll(): void;
  /** How many processes there are now, this one included. */
  processes?(count: number): void;
  /** Chores may have become due by what another process did. */
  poke(): void;
}

export interface Sharing {
  readonly index: SharedWorkIndex;
  attempts(secrets: Pick<Secrets, 'digest'>): SharedAttempts;
  /** Whether remembered records count. */
  fresh(): boolean;
  /** Once the control database is migrated. */
  start(hooks: SharingHooks): Promise<void>;
  close(): Promise<void>;
}

export interface SharingOptions {
  readonly database: PostgresControl;
  readonly clock: Clock;
  readonly log: Logger;
  /** The placements that this process can visit now; null for all. */
  readonly serves: () => readonly PlacementKind[] | null;
}

const pokeEvery = 10_000;
/** Longest wait at the start for the number of processes. */
const firstCount = 2_000;
/** Messages that come together poke once. */
const pokeDelay = 200;

export function createSharing({ database, clock, log, serves }: SharingOptions): Sharing {
  const index = createSharedWorkIndex({ control: database.unordered, clock, log, serves });
  let watch: ChangeWatch | undefined;
  let channel: ControlChannel | undefined;
  let count: ProcessCount | undefined;
  let ticking: NodeJS.Timeout | undefined;
  let soon: NodeJS.Timeout | undefined;
  const self = randomUUID();
  const hearers = new Set<(message: string) => void>();
  let waiting: string[] = [];

  /** Those that come while a message is on its way go together. */
  async function send(): Promise<void> {
    while (waiting.length > 0) {
      const messages = waiting.splice(0, 100).map((message) => `${self}:${message}`);
      await database.unordered.transaction(async (tx) => {
        await sql`select pg_notify(${sql.lit(attemptChannel)}, message)
          from unnest(${messages}::text[]) as message`.execute(tx);
      });
    }
  }

  let sending: Promise<void> | undefined;
  function tell(message: string): void {
    // Bounded: what cannot be sent in time need not be.
    if (waiting.length < 1_000) waiting.push(message);
    sending ??= send()
      .catch((error) => {
        waiting = [];
        log.debug({ err: error }, 'attempts were not told to other processes');
      })
      .finally(() => {
        sending = undefined;
      });
  }

  function heardAttempt(payload: string): void {
    const colon = payload.indexOf(':');
    if (payload.slice(0, colon) === self) return;
    for (const hear of hearers) hear(payload.slice(colon + 1));
  }

  return {
    index,
    attempts: (secrets) => ({
      tell,
      hear: (heard) => void hearers.add(heard),
      digest: (value) => secrets.digest('attempts', value).slice(0, 32),
    }),
    fresh: () => watch?.fresh() === true,
    async start({ changed, changedAll, poke, processes }) {
      const own = createChangeWatch({ control: database.db, changed, changedAll, log });
      watch = own;
      await own.start();
      const counted = createProcessCount({ control: database.unordered, changed: processes ?? (() => {}), log });
      count = counted;
      counted.start();
      const listening = Promise.withResolvers<void>();
      channel = listenToControl({
        connect: database.connect,
        channels: [changeChannel, workChannel, attemptChannel, processChannel],
        heard(name, payload) {
          if (name === processChannel) return void counted.look();
          if (name === workChannel) return index.heard(payload);
          if (name === attemptChannel) return heardAttempt(payload);
          own.heard(payload);
          soon ??= setTimeout(() => {
            soon = undefined;
            poke();
          }, pokeDelay).unref();
        },
        connected() {
          void own.look();
          index.heard(null);
          void counted.look().then(counted.announce).then(listening.resolve);
        },
        log,
      });
      ticking = setInterval(poke, pokeEvery).unref();
      // Its share of what they have together is known before it serves anybody.
      await Promise.race([listening.promise, new Promise((resolve) => setTimeout(resolve, firstCount).unref())]);
    },
    async close() {
      clearInterval(ticking);
      clearTimeout(soon);
      await sending;
      await channel?.close();
      await count?.close();
      await watch?.close();
    },
  };
}
