/**
 * Objects that this process has stored and whose row is not committed yet. Whoever looks for objects without a row
 * leaves these alone.
 */
import type { TenantId } from '../../../kernel/ids.ts';

export interface InHand {
  has(tenant: TenantId, key: string): boolean;
  add(tenant: TenantId, key: string): void;
  remove(tenant: TenantId, key: string): void;
}

export function createInHand(): InHand {
  const keys = new Set<string>();
  const name = (tenant: TenantId, key: string) => `${tenant}/${key}`;
  return {
    has: (tenant, key) => keys.has(name(tenant, key)),
    add: (tenant, key) => void keys.add(name(tenant, key)),
    remove: (tenant, key) => void keys.delete(name(tenant, key)),
  };
}
