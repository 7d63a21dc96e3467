/** What the control database keeps of a tenant's logins on a PostgreSQL server, and of its project at Neon. */

export interface PlacementCredentialTable {
  tenant_id: string;
  /** What the login is for. */
  role: 'request' | 'migrate';
  /** Name of the login. */
  login: string;
  /** The database that it opens. */
  database_name: string;
  /** The server of several; null for the one without a name. */
  server: string | null;
  /** Its password, sealed for this tenant and role. */
  sealed: string;
}

export interface NeonUnitTable {
  /** A tenant's id, or the name of a project that tenants share. */
  owner: string;
  /** Chosen before the API is asked, so that a project whose answer was lost is found. */
  project_name: string;
  project_id: string | null;
  host: string | null;
  pooled_host: string | null;
  requested_at: string | null;
}

declare module '../database/tables.ts' {
  interface ControlTables {
    placement_credentials: PlacementCredentialTable;
    neon_units: NeonUnitTable;
  }
}
