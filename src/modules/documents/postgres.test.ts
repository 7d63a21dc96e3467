/** Every statement of documents on a real PostgreSQL server: the same services, another database behind the handle. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PostgresServer, startPostgres } from '../../../test/support/postgres.ts';
import { day, systemClock } from '../../kernel/clock.ts';
import { createDatabase } from '../../kernel/database/create-database.ts';
import type { TenantDb } from '../../kernel/database/database.ts';
import type { Lease } from '../../kernel/database/lease-set.ts';
import type { Migration } from '../../kernel/database/migration.ts';
import { applyMigrations, type ModuleMigrations } from '../../kernel/database/migrator.ts';
import { postgresDialect } from '../../kernel/database/postgres-dialect.ts';
import { openPostgresSession } from '../../kernel/database/postgres-session.ts';
import type { SqlSession } from '../../kernel/database/session.ts';
import type { Tenant } from '../../kernel/handles.ts';
import { allTenantMigrations } from '../../kernel/migrations.ts';
import type { Role } from '../../kernel/roles.ts';
import { moduleMigrations } from '../index.ts';
import { documentsByDay } from './repository/figures.ts';
import { createInHand } from './service/in-hand.ts';
import { sweep } from './service/sweep.ts';
import { download, filePart, listed, openWorld, outcome, type Person, query, request, upload } from './test-support.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

const connections = 6;

/** A tenant's database on the server, migrated, behind a few connections that are lent in turn. */
async function openDatabase(log: Tenant['log']): Promise<{ db: TenantDb; close(): Promise<void> }> {
  const address = await server.newDatabase('documents');
  const sessions: SqlSession[] = [];
  for (let count = 0; count < connections; count += 1) {
    sessions.push(await openPostgresSession({ connectionString: address }));
  }
  const list = allTenantMigrations(moduleMigrations) as unknown as readonly ModuleMigrations<Migration<unknown>>[];
  await applyMigrations({ session: sessions[0]!, grammar: postgresDialect, list, clock: systemClock });
  const free = [...sessions];
  const waiting: ((lease: Lease) => void)[] = [];
  const lend = (session: SqlSession): Lease => ({
    session,
    release() {
      const next = waiting.shift();
      if (next === undefined) free.push(session);
      else next(lend(session));
    },
  });
  const source = {
    tryLease: () => (free.length === 0 ? undefined : lend(free.pop()!)),
    lease: () =>
      free.length === 0 ? new Promise<Lease>((resolve) => waiting.push(resolve)) : Promise.resolve(lend(free.pop()!)),
  };
  const options = { kind: 'tenant', dialect: 'postgres', grammar: postgresDialect, source, log } as const;
  const db = createDatabase(options) as unknown as TenantDb;
  return { db, close: async () => void (await Promise.all(sessions.map((session) => session.close()))) };
}

it('documents behave on PostgreSQL as on SQLite', { timeout: 120_000 }, async () => {
  const world = await openWorld({ objectGraceSeconds: 0 });
  const company = await world.company();
  const { db, close } = await openDatabase(company.tenant.log);
  const tenant: Tenant = { ...company.tenant, db, quotaBytes: 5_000_000_000 };
  const person = async (role: Role): Promise<Person> => {
    const one = await company.person(role);
    const row = await company.tenant.db.read
      .selectFrom('users')
      .selectAll()
      .where('id', '=', one.id)
      .executeTakeFirstOrThrow();
    await db.transaction((tx) => tx.insertInto('users').values(row).execute());
    return { ...one, tenant: { ...one.tenant, db, quotaBytes: tenant.quotaBytes } };
  };
  const [admin, manager, employee, customer] = [
    await person('hr_admin'),
    await person('hr_manager'),
    await person('employee'),
    await person('customer'),
  ];
  const { documents, baskets, shares, settings, uploads, resumables } = world.documents;

  const basket = await baskets.create(employee, { name: 'in' });
  expect(await outcome(baskets.create(employee, { name: 'in' }))).toBe('name_taken');
  await shares.put(employee, 'basket', basket.id, 'customer', 'read');
  await shares.put(employee, 'basket', basket.id, 'customer', 'write');
  expect(await shares.list(employee, 'basket', basket.id)).toMatchObject({ items: [{ access: 'write' }] });
  const metadata = '{"year":2024,"kind":"a_b"}';
  const copies = await Promise.all(
    Array.from({ length: 24 }, (_, n) =>
      upload(world, n % 2 ? employee : customer, `${n}.txt`, 'same', { basket_id: basket.id, metadata }),
    ),
  );
  expect(company.objects()).toHaveLength(1);
  expect(await db.read.selectFrom('files').select('refs').execute()).toEqual([{ refs: 24 }]);
  for (const [who, count] of [
    [admin, 24],
    [manager, 24],
    [employee, 24],
    [customer, 24],
  ] as const) {
    expect(await listed(world, who, { basket_id: basket.id, 'metadata.year': '2024', q: '.T' })).toHaveLength(count);
    const first = await documents.list(who, query({ limit: 10, sort: '-size_bytes', total: true }));
    expect(first.total).toBe(count);
    const second = await documents.list(who, query({ limit: 20, sort: '-size_bytes', cursor: first.next_cursor! }));
    expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(24);
  }
  const clashes = await Promise.all(Array.from({ length: 6 }, () => outcome(upload(world, employee, 'one.txt', 'x'))));
  expect(clashes.toSorted()).toEqual([...Array(5).fill('filename_taken'), 'ok'].toSorted());
  const renamed = await Promise.all(
    Array.from({ length: 6 }, () => upload(world, employee, 'one.txt', 'x', { on_conflict: 'rename' })),
  );
  expect(new Set(renamed.map(({ document }) => document.filename)).size).toBe(6);
  const versions = await Promise.all(
    Array.from({ length: 6 }, () => upload(world, employee, 'one.txt', 'y', { on_conflict: 'version', metadata })),
  );
  expect(versions.map(({ document }) => document.version).toSorted()).toEqual([2, 3, 4, 5, 6, 7]);

  const today = tenant.clock.iso().slice(0, 10);
  expect(await documentsByDay(db.read, today)).toEqual(new Map([[today, 24 + 1 + 6]]));
  expect(await documentsByDay(db.read, '2999-01-01')).toEqual(new Map());

  const id = copies[1]!.document.id;
  await documents.update(employee, id, { filename: 'new.txt', basket_id: null, tags: ['a'], metadata: { b: 1 } });
  expect(await listed(world, employee, { tag: 'a', 'metadata.b': '1', owner: employee.id })).toEqual(['new.txt']);
  await uploads.uploadVersion(employee, id, request({ parts: [filePart('v', 'second')] }));
  await documents.restoreVersion(employee, id, '1');
  expect((await documents.listVersions(employee, id, { limit: 2 })).next_cursor).not.toBe(null);
  const history = await documents.listHistory(employee, id, { limit: 3 });
  expect((await documents.listHistory(employee, id, { cursor: history.next_cursor! })).items).toHaveLength(1);
  expect((await download(world, employee, id, {}, '2')).text).toBe('second');
  await documents.trash(manager, id);
  expect(await listed(world, manager, { trashed: true })).toEqual(['new.txt']);
  await documents.restore(manager, id);
  await documents.purge(admin, id);
  await documents.trash(employee, copies[3]!.document.id);
  expect(await settings.set(admin, { denied_types: ['.exe'] })).toEqual(await settings.get(employee));
  expect(await outcome(upload(world, employee, 'a.exe', 'x'))).toBe('type_denied');

  const tus = { 'tus-resumable': '1.0.0', 'content-type': 'application/offset+octet-stream' };
  const begun = (length: number, name: string) =>
    resumables.begin(
      employee,
      request({
        headers: { ...tus, 'upload-length': String(length), 'upload-metadata': `filename ${btoa(name)}` },
        raw: 'abc',
      }),
    );
  expect(await begun(3, 'tus.txt')).toHaveProperty('strongroom-document');
  expect(await outcome(begun(6_000_000_000, 'too-much'))).toBe('quota_exceeded');
  const open = await begun(4_000_000_000, 'open');
  const openId = open.location!.slice('/api/uploads/'.length);
  expect((await world.documents.usage(tenant)).reserved).toBe(4_000_000_000);
  await resumables.terminate(employee, openId, request({ headers: tus }));

  expect(await world.documents.stats(tenant)).toMatchObject({
    documents: 24 - 2 + 7 + 1,
    lastActivityAt: expect.any(String),
  });
  const schedule = world.documents.module.schedules![0]!;
  expect(await schedule.nextDue(tenant)).toBeLessThanOrEqual(Date.now());
  world.travel(40 * day);
  await sweep(world.kernel, tenant, createInHand());
  expect(await listed(world, employee, { trashed: true })).toEqual([]);
  await db.transaction((tx) => tx.updateTable('files').set({ refs: 99 }).execute());
  const { examine } = world.documents.module;
  expect((await examine!(tenant, { repair: true, deep: true })).every(({ repaired }) => repaired)).toBe(true);
  expect(await examine!(tenant, { repair: false, deep: true })).toEqual([]);
  await close();
});
