/**
 * Messages between the processes of one control database: LISTEN on a connection of its own, which is made again
 * whenever it breaks. A message is a hint and may be lost: whoever listens also looks by itself from time to time, and
 * is told when there was a gap.
 */
import type pg from 'pg';
import type { Logger } from '../log.ts';

export interface ControlChannelOptions {
  connect(): Promise<pg.Client>;
  readonly channels: readonly string[];
  heard(channel: string, payload: string): void;
  /** Listening (again): what was sent before this moment may have been missed. */
  connected(): void;
  readonly log: Logger;
}

export interface ControlChannel {
  readonly listening: boolean;
  close(): Promise<void>;
}

const firstPause = 250;
const longestPause = 2_000;

/** Begins to listen, and keeps on. Never fails. */
export function listenToControl(options: ControlChannelOptions): ControlChannel {
  let client: pg.Client | undefined;
  let listening = false;
  let closed = false;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  function again(gone: pg.Client | undefined): void {
    if (closed || gone !== client) return;
    client = undefined;
    listening = false;
    gone?.end().catch(() => {});
    const pause = Math.min(longestPause, firstPause * 2 ** failures);
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(() => void open(), pause).unref();
  }

  async function open(): Promise<void> {
    let made: pg.Client | undefined;
    try {
      made = await options.connect();
      if (closed) return void made.end().catch(() => {});
      const own = made;
      client = own;
      own.on('error', () => again(own));
      own.on('end', () => again(own));
      own.on('notification', ({ channel, payload }) => options.heard(channel, payload ?? ''));
      for (const channel of options.channels) await own.query(`LISTEN ${channel}`);
      failures = 0;
      listening = true;
      options.connected();
    } catch (error) {
      if (failures === 0) options.log.warn({ err: error }, 'the channel of the control database is cut; trying again');
      again(made === undefined ? client : made);
    }
  }

  void open();
  return {
    get listening() {
      return listening;
    },
    async close() {
      closed = true;
      listening = false;
      clearTimeout(timer);
      const own = client;
      client = undefined;
      await own?.end().catch(() => {});
    },
  };
}
