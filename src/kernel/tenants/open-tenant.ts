/**
 * Makes `Tenant` handles. What does not depend on the actor is made once per record and lives as long as the record
 * does in the registry; a handle itself is one small object and holds no connection.
 */
import type { Clock } from '../clock.ts';
import type { TenantDb } from '../database/database.ts';
import { StrongroomError } from '../errors.ts';
import type { FileStores } from '../files/file-store.ts';
import type { Actor, Tenant } from '../handles.ts';
import type { Logger } from '../log.ts';
import type { PlacementRef } from '../placements/placement.ts';
import type { Secrets, TenantSecrets } from '../secrets.ts';
import type { TenantRecord } from './tenants.ts';

export interface HandleParts {
  readonly database: (ref: PlacementRef) => TenantDb;
  readonly files: FileStores;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly log: Logger;
}

export type OpenTenant = (record: TenantRecord, actor: Actor) => Tenant;

export function createOpenTenant(parts: HandleParts): OpenTenant {
  const bases = new WeakMap<TenantRecord, Omit<Tenant, 'actor'>>();

  function baseOf(record: TenantRecord): Omit<Tenant, 'actor'> {
    const known = bases.get(record);
    if (known !== undefined) return known;
    const base = {
      id: record.id,
      name: record.name,
      slug: record.slug,
      preset: record.preset,
      quotaBytes: record.quotaBytes,
      registration: record.registration,
      state: record.state,
      placement: record.placement,
      db: parts.database(record.placement),
      files: parts.files.open(record.bucket),
      secrets: lateSecrets(parts.secrets, record),
      log: parts.log.child({ company: record.id }),
      clock: parts.clock,
    };
    bases.set(record, base);
    return base;
  }

  return (record, actor) => ({ ...baseOf(record), actor });
}

/** Unwraps the data key when it is first needed: most requests seal nothing. */
function lateSecrets(secrets: Secrets, record: TenantRecord): TenantSecrets {
  let unwrapped: TenantSecrets | undefined;
  function own(): TenantSecrets {
    if (record.wrappedKey === '') {
      throw new StrongroomError('internal', 'data_key_destroyed', 'The data key of this company is gone.');
    }
    unwrapped ??= secrets.forTenant(record.id, record.wrappedKey);
    return unwrapped;
  }
  return {
    seal: (purpose, plain) => own().seal(purpose, plain),
    open: (purpose, sealed) => own().open(purpose, sealed),
  };
}
