/**
 * A bucket whose keys stand in the control database: every call waits until they are known, and they are looked at
 * again now and then, so that keys that were changed by another process count soon.
 */
import type { FileStore } from './file-store.ts';
import type { S3Keys } from './s3-client.ts';

/** How long keys are used without a look. */
const looksEvery = 60_000;

export interface LateKeysParts {
  readonly find: () => Promise<S3Keys | undefined>;
  /** Where the client that they make is put; undefined for the product's own. */
  readonly use: (keys: S3Keys | undefined) => void;
}

export interface LateKeys {
  /** Undefined where nothing is to be waited for. */
  ready(): Promise<void> | undefined;
  /** The next call looks. */
  forget(): void;
}

export function createLateKeys({ find, use }: LateKeysParts): LateKeys {
  let looked = Number.NEGATIVE_INFINITY;
  let known: string | undefined;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    try {
      const keys = await find();
      const text = JSON.stringify(keys ?? null);
      if (text !== known) use(keys);
      known = text;
    } catch (error) {
      // What was known is better than nothing: the control database may be away for a moment.
      if (known === undefined) throw error;
    }
    looked = performance.now();
  }

  return {
    ready() {
      if (performance.now() - looked < looksEvery) return undefined;
      looking ??= look().finally(() => {
        looking = undefined;
      });
      return looking;
    },
    forget() {
      looked = Number.NEGATIVE_INFINITY;
    },
  };
}

/** The same store, once it is known with which keys. */
export function whenKeysAreKnown(store: FileStore, { ready }: LateKeys): FileStore {
  const after =
    <A extends unknown[], R>(verb: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      const wait = ready();
      if (wait !== undefined) await wait;
      return verb(...given);
    };
  const put = after(store.put);
  return {
    ...store,
    put(body, options) {
      // One that breaks off meanwhile is found out when it is read.
      body.on('error', () => undefined);
      return put(body, options);
    },
    get: after(store.get),
    size: after(store.size),
    madeAt: after(store.madeAt),
    delete: after(store.delete),
    async *keys() {
      await ready();
      yield* store.keys();
    },
    partial: after(store.partial),
    sweepTemporary: after(store.sweepTemporary),
    ...(store.downloadAddress === undefined ? {} : { downloadAddress: after(store.downloadAddress) }),
  };
}
