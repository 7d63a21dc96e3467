/**
 * Who acts, and on what. A `Tenant` is made per request, job or library call from a verified identity; all of a
 * tenant's data is reached through it and through nothing else. There is no ambient current tenant and no default.
 */
import type { Clock } from './clock.ts';
import type { TenantDb } from './database/database.ts';
import type { FileStore } from './files/file-store.ts';
import type { TenantId } from './ids.ts';
import type { Logger } from './log.ts';
import type { PlacementRef } from './placements/placement.ts';
import type { Preset, Role } from './roles.ts';
import type { TenantSecrets } from './secrets.ts';

/** Who does something, as audit, history and events record it. */
export type Actor =
  | { readonly kind: 'user'; readonly id: string; readonly role: Role; readonly sessionId: string }
  | { readonly kind: 'operator'; readonly id: string; readonly sessionId: string }
  /** A person with shell access to the data folder, through the command line. */
  | { readonly kind: 'host' }
  /** The product itself: jobs, sweeps, lifecycle. */
  | { readonly kind: 'system' }
  | { readonly kind: 'anonymous' };

export interface Tenant {
  readonly id: TenantId;
  readonly name: string;
  readonly slug: string;
  readonly preset: Preset;
  /** Logical bytes allowed; null for no limit. */
  readonly quotaBytes: number | null;
  readonly registration: 'open' | 'closed';
  readonly state: TenantState;
  readonly placement: PlacementRef;
  readonly db: TenantDb;
  readonly files: FileStore;
  /** Seals and opens values under this tenant's own data key. */
  readonly secrets: TenantSecrets;
  readonly actor: Actor;
  readonly log: Logger;
  readonly clock: Clock;
}

export type TenantState = 'creating' | 'active' | 'suspended' | 'deleting' | 'purging' | 'failed' | 'deleted';

/** A verified caller. Only `server/` and the library front door make one. */
export type Caller = AnonymousCaller | OperatorCaller | MemberCaller | HostCaller;

export interface AnonymousCaller {
  readonly kind: 'anonymous';
  readonly actor: Actor & { kind: 'anonymous' };
}
export interface OperatorCaller {
  readonly kind: 'operator';
  readonly actor: Actor & { kind: 'operator' };
  readonly operator: {
    readonly id: string;
    readonly username: string;
    readonly email: string;
    readonly fullName?: string;
  };
  readonly sessionId: string;
}
export interface MemberCaller {
  readonly kind: 'member';
  readonly actor: Actor & { kind: 'user' };
  readonly tenant: Tenant;
  readonly user: {
    readonly id: string;
    readonly username: string;
    readonly email: string;
    readonly fullName: string;
    readonly role: Role;
  };
  readonly sessionId: string;
}
export interface HostCaller {
  readonly kind: 'host';
  readonly actor: Actor & { kind: 'host' };
}
