/** What the control database keeps of companies' own keys to the file store, and its structure. */
import { controlMigration } from '../database/migration.ts';

export interface StorageCredentialTable {
  /** The name that the product knows the bucket by. */
  bucket: string;
  tenant_id: string;
  /** No secret: by it the provider ends them. */
  access_key_id: string;
  /** All of them, sealed under the company's data key for this bucket. */
  sealed: string;
  given_at: string;
}

declare module '../database/tables.ts' {
  interface ControlTables {
    storage_credentials: StorageCredentialTable;
  }
}

/** Name under which these stand in the ledger. */
export const filesModule = 'files';

export const filesControlMigrations = [
  controlMigration('0001-storage-credentials', async (schema) => {
    await schema
      .createTable('storage_credentials')
      .addColumn('bucket', 'text', (c) => c.primaryKey())
      .addColumn('tenant_id', 'text', (c) => c.notNull())
      .addColumn('access_key_id', 'text', (c) => c.notNull())
      .addColumn('sealed', 'text', (c) => c.notNull())
      .addColumn('given_at', 'text', (c) => c.notNull())
      .execute();
  }),
];
