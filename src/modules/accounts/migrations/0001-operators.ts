/** Operators with their sessions (tables of the same form as a company's), the one way to the first of them, and the directory of sign-in names by digest. */
import { controlMigration, type SchemaOf } from '../../../kernel/database/migration.ts';
import type { ControlTables } from '../../../kernel/database/tables.ts';
import '../tables.ts';

type Schema = SchemaOf<ControlTables>;

export const createOperators = controlMigration('0001-operators', async (schema) => {
  await operators(schema);
  await sessions(schema);
  await oneTimeTokens(schema);
  await directory(schema);
});

async function operators(schema: Schema): Promise<void> {
  await schema
    .createTable('operators')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('username', 'text', (column) => column.notNull())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('full_name', 'text', (column) => column.notNull())
    .addColumn('password_hash', 'text', (column) => column.notNull())
    .addColumn('is_active', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .addColumn('last_sign_in_at', 'text')
    .execute();
  await schema.createIndex('operators_username').unique().on('operators').column('username').execute();
  await schema.createIndex('operators_email').unique().on('operators').column('email').execute();
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

async function oneTimeTokens(schema: Schema): Promise<void> {
  await schema
    .createTable('password_resets')
    .addColumn('token_hash', 'text', (column) => column.primaryKey())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'text', (column) => column.notNull())
    .addColumn('used_at', 'text')
    .execute();

  await schema
    .createTable('setup_tokens')
    .addColumn('slot', 'text', (column) => column.primaryKey())
    .addColumn('token_hash', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('completed_at', 'text')
    .execute();
}

async function directory(schema: Schema): Promise<void> {
  await schema
    .createTable('directory')
    .addColumn('digest', 'text', (column) => column.notNull())
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('accepted_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('directory_pk', ['digest', 'tenant_id', 'user_id'])
    .execute();
  await schema.createIndex('directory_user').on('directory').columns(['tenant_id', 'user_id']).execute();

  await schema
    .createTable('person_links')
    .addColumn('tenant_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text', (column) => column.notNull())
    .addColumn('person_id', 'text', (column) => column.notNull())
    .addColumn('linked_at', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('person_links_pk', ['tenant_id', 'user_id'])
    .execute();
  await schema.createIndex('person_links_person').on('person_links').column('person_id').execute();
}
