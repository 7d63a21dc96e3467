/**
 * Keys of a company's own for its bucket, where the provider can give them: asked for when the bucket is made, kept
 * sealed in the control database under the company's data key, taken back when the bucket goes.
 *
 * Each is used for the bucket it was given for and no other. Without a provider, and for companies made before there
 * was one, the product's own keys are used; doctor says which these are.
 */
import type { Clock } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import { tenantIdFromPart } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Secrets } from '../secrets.ts';
import type { S3Keys } from './s3-client.ts';
import { storageFailed } from './s3-errors.ts';
import './s3-keys-table.ts';
import '../tenants/tables.ts';

/** The bucket on the server, and below which prefix where it is shared. */
export interface KeyTarget {
  readonly bucket: string;
  readonly prefix: string | null;
}

/** Where keys come from. Both verbs may be called again after a crash. */
export interface KeyProvider {
  grant(target: KeyTarget): Promise<S3Keys>;
  /** Ends them; `accessKeyId` is null where none are known. Fine where there is nothing to end. */
  revoke(target: KeyTarget, accessKeyId: string | null): Promise<void>;
}

export interface CompanyKeys {
  /** Whether new buckets get keys of their own. */
  readonly gives: boolean;
  /** Undefined where the product's own are used. @throws unavailable `storage_failed` where they cannot be opened */
  find(bucket: string): Promise<S3Keys | undefined>;
  /** Asks for keys and keeps them, unless there are some. Does nothing without a provider. */
  grant(bucket: string, target: KeyTarget): Promise<void>;
  /** Ends them and forgets them. */
  revoke(bucket: string, target: KeyTarget): Promise<void>;
}

export interface CompanyKeysParts {
  readonly control: ControlDb;
  readonly secrets: Pick<Secrets, 'forTenant'>;
  readonly provider: KeyProvider | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

const purposeOf = (bucket: string) => `storage:${bucket}`;
/** Length of an id without its type, with which the name of every bucket ends. */
const idLength = 26;

export function createCompanyKeys({ control, secrets, provider, clock, log }: CompanyKeysParts): CompanyKeys {
  const row = (bucket: string) =>
    control.read
      .selectFrom('storage_credentials')
      .leftJoin('tenants', 'tenants.id', 'storage_credentials.tenant_id')
      .select(['tenant_id', 'access_key_id', 'sealed', 'wrapped_key'])
      .where('storage_credentials.bucket', '=', bucket)
      .executeTakeFirst();

  async function keep(bucket: string, keys: S3Keys): Promise<void> {
    const id = tenantIdFromPart(bucket.slice(-idLength));
    await control.transaction(async (tx) => {
      const found =
        id === undefined
          ? undefined
          : await tx.selectFrom('tenants').select(['wrapped_key']).where('id', '=', id).executeTakeFirst();
      if (id === undefined || typeof found?.wrapped_key !== 'string') {
        throw storageFailed(new Error('keys were given for a bucket that belongs to no company'));
      }
      const sealed = secrets.forTenant(id, found.wrapped_key).seal(purposeOf(bucket), JSON.stringify(keys));
      const values = { tenant_id: id, access_key_id: keys.accessKeyId, sealed, given_at: clock.iso() };
      await tx
        .insertInto('storage_credentials')
        .values({ bucket, ...values })
        .onConflict((on) => on.column('bucket').doUpdateSet(values))
        .execute();
    });
  }

  return {
    gives: provider !== undefined,

    async find(bucket) {
      const found = await row(bucket);
      if (found === undefined) return undefined;
      if (typeof found.wrapped_key !== 'string') throw storageFailed(new Error('the data key of the company is gone'));
      const text = secrets.forTenant(found.tenant_id, found.wrapped_key).open(purposeOf(bucket), found.sealed);
      return JSON.parse(text) as S3Keys;
    },

    async grant(bucket, target) {
      if (provider === undefined || (await row(bucket)) !== undefined) return;
      await keep(bucket, await provider.grant(target));
    },

    async revoke(bucket, target) {
      const found = await row(bucket);
      if (provider !== undefined) await provider.revoke(target, found?.access_key_id ?? null);
      else if (found !== undefined) {
        log.warn({ bucket }, 'the keys of a company were forgotten; no provider is set, so they may live on there');
      }
      if (found === undefined) return;
      await control.transaction(async (tx) => {
        await tx.deleteFrom('storage_credentials').where('bucket', '=', bucket).execute();
      });
    },
  };
}
