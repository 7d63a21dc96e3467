/** What the control database keeps of a tenant's logins on a PostgreSQL server. */

export interface PlacementCredentialTable {
  tenant_id: string;
  /** What the login is for. */
  role: 'request' | 'migrate';
  /** Name of the login. */
  login: string;
  /** The database that it opens. */
  database_name: string;
  /** Its password, sealed for this tenant and role. */
  sealed: string;
}

declare module '../database/tables.ts' {
  interface ControlTables {
    placement_credentials: PlacementCredentialTable;
  }
}
