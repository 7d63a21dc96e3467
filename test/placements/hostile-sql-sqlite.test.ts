/**
 * Hostile SQL through a company's own connections to its file: refused, or without effect on anything but its own rows.
 * The list is that of `hostile-sql.test.ts` in the words of SQLite, with what only SQLite can do. Afterwards the other
 * company, the control database and the rest of the data folder are as they were, and the process serves on.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Tenant } from '../../src/kernel/handles.ts';
import { idPart, type TenantId } from '../../src/kernel/ids.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';
import { call, uploadFile } from '../support/story.ts';
import { companyWorld } from '../support/world.ts';

let program: TestProgram;
let own: TestCompany;
let other: TestCompany;
let tenant: Tenant;
let before: string[];

beforeAll(async () => {
  program = await startTestProgram({ statementSeconds: 1 });
  [own, other] = [await program.company('Hostile File'), await program.company('Other File')];
  for (const { admin } of [own, other]) await uploadFile(program.url, admin.token, 'one.txt', 'content');
  const { kernel } = program.program;
  await kernel.settle();
  tenant = await kernel.tenants.open(own.id as TenantId, { kind: 'system' });
  before = world();
});
afterAll(() => program?.stop());

const world = () => companyWorld(program.dataDir, other.id, other.bucket);

/** Names and sizes of all that is not a company's own. */
function around(): string[] {
  return (readdirSync(program.dataDir, { recursive: true }) as string[])
    .filter((path) => !path.includes(idPart(own.id as TenantId)) && !/-(wal|shm)$/.test(path))
    .map((path) => `${path} ${statSync(join(program.dataDir, path)).isFile() ? 'file' : 'folder'}`)
    .sort();
}

/** `OTHER` is the other company's file, `CONTROL` the control database, `OUT` a file that must not come to be. */
function filled(statement: string): string {
  return statement
    .replaceAll('OTHER', join(program.dataDir, 'tenants', idPart(other.id as TenantId), 'tenant.db'))
    .replaceAll('CONTROL', join(program.dataDir, 'control.db'))
    .replaceAll('OUT', join(program.dataDir, 'planted'));
}

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'allowed',
    () => 'refused',
  );
const onReader = (text: string) => outcome(sql.raw(filled(text)).execute(tenant.db.read));
const onWriter = (text: string) => outcome(tenant.db.transaction((tx) => sql.raw(filled(text)).execute(tx)));

const refused: readonly string[] = [
  // Other companies, and the control database.
  `ATTACH 'OTHER' AS other`,
  `ATTACH 'CONTROL' AS control`,
  `ATTACH 'file:OTHER?mode=ro' AS other`,
  `ATTACH 'file:OTHER?immutable=1' AS other`,
  `ATTACH DATABASE ('OTHER') AS other`,
  `/* quiet */ -- please\n ATTACH 'OTHER' AS other`,
  `;;ATTACH 'OTHER' AS other`,
  `ATTACH 'OTHER' AS other KEY 'x'`,
  `ATTACH '' AS nameless`,
  `ATTACH ':memory:' AS memory`,
  `DETACH main`,
  `SELECT * FROM other.users`,
  `INSERT INTO other.users SELECT * FROM users`,
  // Its own structure, identity, ledger and audit trail.
  `CREATE TABLE planted (id integer)`,
  `CREATE TEMP TABLE planted (id integer)`,
  `CREATE VIEW planted AS SELECT 1`,
  `CREATE TEMP VIEW users AS SELECT 1`,
  `CREATE INDEX planted ON users (id)`,
  `CREATE TRIGGER planted AFTER INSERT ON users BEGIN SELECT 1; END`,
  `CREATE TEMP TRIGGER planted AFTER INSERT ON users BEGIN SELECT 1; END`,
  `CREATE VIRTUAL TABLE planted USING fts5(text)`,
  `CREATE VIRTUAL TABLE planted USING rtree(id, a, b)`,
  `CREATE VIRTUAL TABLE temp.planted USING dbstat(main)`,
  `CREATE VIRTUAL TABLE planted USING csv(filename='/etc/passwd')`,
  `ALTER TABLE users ADD COLUMN planted text`,
  `ALTER TABLE users RENAME TO planted`,
  `DROP TABLE users`,
  `DROP TRIGGER IF EXISTS audit_log_no_update`,
  `REINDEX`,
  `ANALYZE`,
  `UPDATE identity SET tenant_id = 'x'`,
  `DELETE FROM identity`,
  `INSERT INTO identity SELECT * FROM identity`,
  `REPLACE INTO identity SELECT * FROM identity`,
  `DELETE FROM migrations`,
  `UPDATE audit_log SET actor = 'nobody'`,
  `DELETE FROM audit_log`,
  `REPLACE INTO audit_log SELECT * FROM audit_log`,
  `INSERT OR REPLACE INTO audit_seals SELECT * FROM audit_seals`,
  `INSERT INTO audit_log SELECT * FROM audit_log WHERE true ON CONFLICT DO UPDATE SET actor = 'nobody'`,
  `DELETE FROM audit_seals`,
  `UPDATE sqlite_schema SET sql = ''`,
  `DELETE FROM sqlite_master`,
  `INSERT INTO sqlite_sequence VALUES ('users', 9)`,
  `UPDATE sqlite_dbpage SET data = zeroblob(4096) WHERE pgno = 1`,
  // Files and the operating system.
  `VACUUM`,
  `VACUUM INTO 'OUT'`,
  `SELECT load_extension('OUT')`,
  `SELECT load_extension('/lib/x86_64-linux-gnu/libc.so.6', 'system')`,
  `SELECT readfile('/etc/passwd')`,
  `SELECT writefile('OUT', 'x')`,
  `SELECT edit('x', 'touch OUT')`,
  `SELECT fts3_tokenizer('simple', x'00')`,
  `PRAGMA temp_store_directory = '/'`,
  `PRAGMA data_store_directory = '/'`,
  // The connection itself, which others of the company use after it.
  `PRAGMA writable_schema = ON`,
  `PRAGMA query_only = OFF`,
  `PRAGMA foreign_keys = OFF`,
  `PRAGMA ignore_check_constraints = ON`,
  `PRAGMA journal_mode = DELETE`,
  `PRAGMA journal_mode`,
  `PRAGMA locking_mode = EXCLUSIVE`,
  `PRAGMA synchronous = OFF`,
  `PRAGMA trusted_schema = ON`,
  `PRAGMA recursive_triggers = ON`,
  `PRAGMA case_sensitive_like = ON`,
  `PRAGMA user_version = 7`,
  `PRAGMA application_id = 7`,
  `PRAGMA schema_version = 7`,
  `PRAGMA wal_checkpoint(TRUNCATE)`,
  `PRAGMA wal_autocheckpoint = 0`,
  `PRAGMA max_page_count = 1`,
  `PRAGMA mmap_size = 1000000000000`,
  `PRAGMA cache_size = 100000000`,
  `PRAGMA hard_heap_limit = 1`,
  `PRAGMA busy_timeout = 1000000`,
  `PRAGMA secure_delete = OFF`,
  `PRAGMA shrink_memory`,
  `PRAGMA optimize`,
  `PRAGMA database_list`,
  `BEGIN`,
  `BEGIN EXCLUSIVE`,
  `COMMIT`,
  `END`,
  `ROLLBACK`,
  `SAVEPOINT planted`,
  `RELEASE planted`,
  // More than anybody needs.
  `SELECT randomblob(2000000000)`,
];

/** Of its own rows, or of nothing: allowed to a writer. */
const harmless: readonly string[] = [
  `EXPLAIN SELECT * FROM users`,
  `SELECT 1; ATTACH 'OTHER' AS other`,
  `SELECT name, sql FROM sqlite_schema`,
  `PRAGMA table_info(users)`,
  `SELECT last_insert_rowid(), changes(), sqlite_version()`,
  `WITH RECURSIVE few AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM few WHERE n < 1000) SELECT count(*) FROM few`,
  `UPDATE users SET full_name = full_name`,
];

test('every statement of the list is refused, to reader and writer', async () => {
  const rest = around();
  const through: string[] = [];
  for (const statement of refused) {
    if ((await onReader(statement)) === 'allowed') through.push(`reader: ${statement}`);
    if ((await onWriter(statement)) === 'allowed') through.push(`writer: ${statement}`);
  }
  expect(through).toEqual([]);
  expect(existsSync(filled('OUT'))).toBe(false);
  expect(around()).toEqual(rest);
}, 60_000);

test('what is allowed reaches its own rows alone', async () => {
  for (const statement of harmless) await onWriter(statement);
  expect(await onReader(`SELECT * FROM other.users`)).toBe('refused');
  const ids = await sql<{ id: string }>`SELECT id FROM users`.execute(tenant.db.read);
  expect(ids.rows.map(({ id }) => id)).toEqual([own.admin.id]);
});

test('a reader writes nothing', async () => {
  for (const statement of [
    `DELETE FROM users`,
    `UPDATE users SET full_name = 'x'`,
    `INSERT INTO users SELECT * FROM users`,
    `WITH x AS (SELECT 1) UPDATE users SET full_name = 'x' RETURNING id`,
  ]) {
    expect(await onReader(statement)).toBe('refused');
  }
});

test('a statement without an end is ended, and the others are served meanwhile', async () => {
  const bomb = onReader(
    `WITH RECURSIVE bomb AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM bomb) SELECT count(*) FROM bomb`,
  );
  expect((await call(program.url, 'GET', '/health')).status).toBe(200);
  expect(await bomb).toBe('refused');
});

test('the other company and the control database are as they were, and both companies are served', async () => {
  expect(world()).toEqual(before);
  for (const { admin } of [own, other]) {
    const listed = await call<{ items: unknown[] }>(program.url, 'GET', '/api/documents', { token: admin.token });
    expect([listed.status, listed.body.items]).toMatchObject([200, [{ filename: 'one.txt' }]]);
  }
  const { kernel } = program.program;
  expect(await kernel.doctor.examine({ repair: false })).toEqual([]);
  expect(await kernel.audit.verify(tenant)).toMatchObject({ ok: true });
});
