/**
 * What this process knows of objects that may have no row: those that are in hand (being stored, their row not
 * committed yet), which whoever looks for objects without a row leaves alone, and those in doubt (it should have been
 * removed, and could not be; or nobody knows whose it is), which wait for their time.
 */
import type { TenantId } from '../../../kernel/ids.ts';

export interface InHand {
  has(tenant: TenantId, key: string): boolean;
  /** Before the object can be seen. */
  add(tenant: TenantId, key: string): void;
  /** After the end of the transaction that was to refer to it. */
  remove(tenant: TenantId, key: string): void;
  /** Objects in doubt, each with the time (ms) that its grace counts from. */
  doubts(tenant: TenantId): ReadonlyMap<string, number>;
  doubt(tenant: TenantId, key: string, since: number): void;
  settle(tenant: TenantId, keys: Iterable<string>): void;
}

export function createInHand(): InHand {
  const keys = new Set<string>();
  const doubts = new Map<TenantId, Map<string, number>>();
  const none: ReadonlyMap<string, number> = new Map();
  const name = (tenant: TenantId, key: string) => `${tenant}/${key}`;
  return {
    has: (tenant, key) => keys.has(name(tenant, key)),
    add: (tenant, key) => void keys.add(name(tenant, key)),
    remove: (tenant, key) => void keys.delete(name(tenant, key)),
    doubts: (tenant) => doubts.get(tenant) ?? none,
    doubt(tenant, key, since) {
      const own = doubts.get(tenant) ?? new Map<string, number>();
      doubts.set(tenant, own.set(key, since));
    },
    settle(tenant, settled) {
      const own = doubts.get(tenant);
      if (own === undefined) return;
      for (const key of settled) own.delete(key);
      if (own.size === 0) doubts.delete(tenant);
    },
  };
}
