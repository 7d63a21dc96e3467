/** Structure of what the control database keeps of placements. */
import { controlMigration } from '../database/migration.ts';
import './tables.ts';

/** Name under which these stand in the ledger. */
export const placementsModule = 'placements';

export const placementsControlMigrations = [
  controlMigration('0001-credentials', async (schema) => {
    await schema
      .createTable('placement_credentials')
      .addColumn('tenant_id', 'text', (c) => c.notNull())
      .addColumn('role', 'text', (c) => c.notNull())
      .addColumn('login', 'text', (c) => c.notNull())
      .addColumn('database_name', 'text', (c) => c.notNull())
      .addColumn('sealed', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('placement_credentials_key', ['tenant_id', 'role'])
      .execute();
    // How full a shared database is.
    await schema
      .createIndex('placement_credentials_database')
      .on('placement_credentials')
      .columns(['database_name', 'role'])
      .execute();
  }),
  controlMigration('0002-credential-server', async (schema) => {
    await schema.alterTable('placement_credentials').addColumn('server', 'text').execute();
  }),
  controlMigration('0003-neon', async (schema) => {
    await schema
      .createTable('neon_units')
      .addColumn('owner', 'text', (c) => c.primaryKey())
      .addColumn('project_name', 'text', (c) => c.notNull())
      .addColumn('project_id', 'text')
      .addColumn('host', 'text')
      .addColumn('pooled_host', 'text')
      .addColumn('requested_at', 'text')
      .execute();
  }),
];
