/** People of one company: users, sessions, refresh tokens, invitations, password resets. */
import { sql } from 'kysely';
import { type SchemaOf, tenantMigration } from '../../../kernel/database/migration.ts';
import type { TenantTables } from '../../../kernel/database/tables.ts';
import '../tables.ts';

type Schema = SchemaOf<TenantTables>;

export const createPeople = tenantMigration('0001-accounts', async (schema) => {
  await users(schema);
  await sessions(schema);
  await invitations(schema);
  await passwordResets(schema);
});

async function users(schema: Schema): Promise<void> {
  await schema
    .createTable('users')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('username', 'text')
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('full_name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text')
    .addColumn('is_active', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('last_sign_in_at', 'text')
    .execute();
  await schema.createIndex('users_email').unique().on('users').column('email').execute();
  await schema.createIndex('users_username').unique().on('users').column('username').execute();
  await schema.createIndex('users_role').on('users').columns(['role', 'is_active']).execute();
}

async function sessions(schema: Schema): Promise<void> {
  await schema
    .createTable('sessions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('client', 'text', (column) => column.notNull())
    .addColumn('ip', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('last_seen_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('ended_at', 'text')
    .addColumn('end_reason', 'text')
    .execute();
  await schema.createIndex('sessions_user').on('sessions').columns(['user_id', 'id']).execute();
  await schema.createIndex('sessions_expiry').on('sessions').column('expires_at').execute();

  await schema
    .createTable('refresh_tokens')
    .addColumn('hash', 'text', (column) => column.primaryKey())
    .addColumn('session_id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('used_at', 'text')
    .execute();
  await schema.createIndex('refresh_tokens_session').on('refresh_tokens').column('session_id').execute();
  await schema.createIndex('refresh_tokens_expiry').on('refresh_tokens').column('expires_at').execute();
}

async function invitations(schema: Schema): Promise<void> {
  await schema
    .createTable('invitations')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('full_name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) => column.notNull())
    .addColumn('token_hash', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('invited_by', 'text')
    .addColumn('invited_by_kind', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('accepted_at', 'text')
    .addColumn('user_id', 'text')
    .execute();
  await schema.createIndex('invitations_token').unique().on('invitations').column('token_hash').execute();
  // One live invitation an address, also when two people invite it at once.
  await schema
    .createIndex('invitations_live_email')
    .unique()
    .on('invitations')
    .column('email')
    .where(sql.ref('status'), '=', 'pending')
    .execute();
}

async function passwordResets(schema: Schema): Promise<void> {
  await schema
    .createTable('password_resets')
    .addColumn('token_hash', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('used_at', 'text')
    .execute();
  await schema.createIndex('password_resets_user').on('password_resets').column('user_id').execute();
}
