/**
 * What a process needs beside others on one control database (PostgreSQL), put together: messages and looks by which it
 * hears of changed companies and of work, the work index of several processes, and a turn of the chores now and then.
 */
import type { Clock } from './clock.ts';
import { type ControlChannel, listenToControl } from './database/control-channel.ts';
import type { PostgresControl } from './database/control-postgres.ts';
import type { TenantId } from './ids.ts';
import { createSharedWorkIndex, type SharedWorkIndex, workChannel } from './jobs/work-index-shared.ts';
import type { Logger } from './log.ts';
import type { PlacementKind } from './placements/placement.ts';
import { type ChangeWatch, changeChannel, createChangeWatch } from './tenants/changes.ts';

export interface SharingHooks {
  changed(id: TenantId): void;
  changedAll(): void;
  /** Chores may have become due by what another process did. */
  poke(): void;
}

export interface Sharing {
  readonly index: SharedWorkIndex;
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
/** Messages that come together poke once. */
const pokeDelay = 200;

export function createSharing({ database, clock, log, serves }: SharingOptions): Sharing {
  const index = createSharedWorkIndex({ control: database.unordered, clock, log, serves });
  let watch: ChangeWatch | undefined;
  let channel: ControlChannel | undefined;
  let ticking: NodeJS.Timeout | undefined;
  let soon: NodeJS.Timeout | undefined;

  return {
    index,
    fresh: () => watch?.fresh() === true,
    async start({ changed, changedAll, poke }) {
      const own = createChangeWatch({ control: database.db, changed, changedAll, log });
      watch = own;
      await own.start();
      channel = listenToControl({
        connect: database.connect,
        channels: [changeChannel, workChannel],
        heard(name, payload) {
          if (name === workChannel) return index.heard(payload);
          own.heard(payload);
          soon ??= setTimeout(() => {
            soon = undefined;
            poke();
          }, pokeDelay).unref();
        },
        connected() {
          void own.look();
          index.heard(null);
        },
        log,
      });
      ticking = setInterval(poke, pokeEvery).unref();
    },
    async close() {
      clearInterval(ticking);
      clearTimeout(soon);
      await channel?.close();
      await watch?.close();
    },
  };
}
