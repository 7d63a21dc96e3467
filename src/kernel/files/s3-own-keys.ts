/**
 * The keys of companies and the clients that they make: which client reaches a bucket, how keys come with a bucket and
 * go with it, and what doctor may find wrong with them. Connections are those of the product's own client.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { StorageFinding } from './file-store.ts';
import { createS3Client, type S3Keys, type S3Settings } from './s3-client.ts';
import { type Guard, isDenied } from './s3-errors.ts';
import type { CompanyKeys, KeyTarget } from './s3-keys.ts';
import { createLateKeys, type LateKeys } from './s3-late.ts';
import { look, objectName, type Place } from './s3-place.ts';

/** A place whose client may be exchanged while it is in use. */
export type OwnPlace = Place & { client: S3Client };

export interface OwnKeys {
  /** The keys of a place, followed as they change. Undefined where all are reached with the product's own. */
  late(place: OwnPlace): LateKeys | undefined;
  clientWith(keys: S3Keys | undefined): S3Client;
  /** Once the bucket is there: keys of its own, and not before they work. */
  give(reached: Reached): Promise<void>;
  /** Once the bucket is gone. */
  end(place: Place): Promise<void>;
  examine(reached: Reached, other: Place | undefined): Promise<StorageFinding[]>;
}

/** A bucket as requests reach it. */
export interface Reached {
  readonly place: OwnPlace;
  readonly late: LateKeys | undefined;
}

export interface OwnKeysParts {
  readonly config: S3Settings;
  /** With the product's own keys. */
  readonly client: S3Client;
  readonly guard: Guard;
  readonly companyKeys: CompanyKeys | undefined;
}

/** Longest wait until keys that were just given work: providers take a while until all of their servers know them. */
const keysWithin = 30_000;
/** A key that no object has. */
const nothing = objectName('0'.repeat(32));

export function createOwnKeys({ config, client, guard, companyKeys }: OwnKeysParts): OwnKeys {
  const clientWith = (keys: S3Keys | undefined) =>
    keys === undefined ? client : createS3Client(config, keys, { sharing: client });

  async function give({ place, late }: Reached): Promise<void> {
    if (companyKeys?.gives !== true) return;
    await companyKeys.grant(place.name, targetOf(place));
    late?.forget();
    await late?.ready();
    await guard(place.name, () => untilTheyWork(place));
  }

  async function end(place: Place): Promise<void> {
    await companyKeys?.revoke(place.name, targetOf(place));
  }

  return {
    clientWith,
    late(place) {
      if (companyKeys === undefined) return undefined;
      return createLateKeys({
        find: () => companyKeys.find(place.name),
        use(keys) {
          place.client = clientWith(keys);
        },
      });
    },
    give,
    end,
    async examine(reached, other) {
      if (companyKeys === undefined) return [];
      const { place, late } = reached;
      late?.forget();
      await late?.ready();
      const { gives } = companyKeys;
      if (place.client === client) {
        const problem = 'the bucket is reached with the keys of the product, not with its own';
        return gives ? [{ problem, repair: 'ask for keys of its own', mend: () => give(reached) }] : [];
      }
      const findings: StorageFinding[] = [];
      if (!(await opens(place))) {
        const renew = async () => {
          await end(place);
          await give(reached);
        };
        const problem = 'the keys to the bucket are refused';
        findings.push(gives ? { problem, repair: 'ask for others', mend: renew } : { problem, repair: null });
      }
      if (other !== undefined && (await opens({ ...other, client: place.client }))) {
        findings.push({ problem: 'its keys reach the bucket of another company', repair: null });
      }
      return findings;
    },
  };
}

const targetOf = ({ bucket, prefix, shared }: Place): KeyTarget => ({ bucket, prefix: shared ? prefix : null });

/** Whether the keys of a place let it be read; other failures are thrown. */
async function opens(place: Place): Promise<boolean> {
  try {
    await look(place, nothing);
    return true;
  } catch (error) {
    if (isDenied(error)) return false;
    throw error;
  }
}

async function untilTheyWork(place: Place): Promise<void> {
  const deadline = performance.now() + keysWithin;
  for (let pause = 100; ; pause = Math.min(pause * 2, 3_000)) {
    try {
      await look(place, nothing);
      return;
    } catch (error) {
      if (performance.now() + pause > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
