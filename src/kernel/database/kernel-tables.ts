/** Tables that the kernel itself keeps in databases: the ledger of migrations in both kinds, `identity` in tenants'. */

export interface MigrationTable {
  module: string;
  name: string;
  applied_at: string;
}
export interface IdentityTable {
  /** Always 1: the primary key and a check make it the only row. */
  singleton: number;
  tenant_id: string;
  generation: number;
  fingerprint: string;
}

declare module './tables.ts' {
  interface ControlTables {
    migrations: MigrationTable;
  }
  interface TenantTables {
    migrations: MigrationTable;
    identity: IdentityTable;
  }
}
