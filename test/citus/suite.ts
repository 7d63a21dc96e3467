/** What is promised of companies on Citus, for a cluster or for what stands in for one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idPart, type TenantId } from '../../src/kernel/ids.ts';
import { allTenantMigrations } from '../../src/kernel/migrations.ts';
import { armFailpoints, disarmFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { moduleMigrations } from '../../src/modules/index.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';
import { call, uploadFile } from '../support/story.ts';
import { type Cluster, openCluster, traces } from './cluster.ts';

/** @param url of the coordinator, with a superuser's login; asked for once the tests begin */
export function companiesOnCitus(url: () => Promise<string>): void {
  let cluster: Cluster;
  let program: TestProgram;
  let company: TestCompany;
  const head = allTenantMigrations(moduleMigrations).flatMap(({ migrations }) => migrations).length;
  const nodes = async () =>
    (
      await cluster.ask<{ name: string }>(
        `SELECT nodename || ':' || nodeport AS name FROM pg_dist_node
          WHERE noderole = 'primary' AND isactive AND shouldhaveshards ORDER BY nodeid`,
      )
    ).map(({ name }) => name);
  const show = async (id: string) => (await program.operator()).client.fleet.getCompany({ params: { id } });

  beforeAll(async () => {
    cluster = await openCluster(await url());
    program = await startTestProgram({ postgresUrl: cluster.url, placement: 'schema', maxConnections: 20 });
  }, 120_000);
  afterAll(() => program?.stop());

  test('are made on a node of it, whole, and used', async () => {
    company = await program.company('Spread Works', { placement: 'schema' });
    const shown = await show(company.id);
    expect(shown).toMatchObject({ status: 'active', schema_version: head });
    expect(await nodes()).toContain(shown.node);
    const local = await cluster.ask(
      `SELECT c.relname FROM pg_class c WHERE c.relnamespace = '${shown.database_name}'::regnamespace
        AND c.relkind = 'r' AND c.oid NOT IN (SELECT logicalrelid FROM pg_dist_partition)`,
    );
    expect(local).toEqual([]);
    const { client } = await program.operator();
    const params = { id: company.id };
    expect(await client.fleet.testCompanyDatabase({ params })).toMatchObject({ ok: true, identity: 'match' });
    expect((await client.fleet.getCompanyStats({ params })).database_bytes).toBeGreaterThan(10_000);
  });

  test('keep documents, and know a name that is taken', async () => {
    const { token, client, email } = company.admin;
    await uploadFile(program.url, token, 'one.txt', 'kept on a node');
    const { items } = (await call(program.url, 'GET', '/api/documents', { token })).body as { items: unknown[] };
    expect(items.length).toBe(1);
    await expect(
      client.accounts.invite({ body: { email, full_name: 'Twice', role: 'employee' } }),
    ).rejects.toMatchObject({ status: 409 });
  });

  test('move to another node while they are used, and have lost nothing', async () => {
    const { client } = await program.operator();
    const params = { id: company.id };
    const before = (await show(company.id)).node;
    const other = (await nodes()).find((name) => name !== before);
    if (other === undefined) throw new Error('the cluster has one node alone: there is nothing to move');
    let moving = true;
    let written = 0;
    const writing = (async () => {
      while (moving) {
        written += 1;
        await uploadFile(program.url, company.admin.token, `while-${written}.txt`, `moved meanwhile ${written}`);
      }
    })();
    try {
      expect(await client.fleet.moveCompanyNode({ params, body: { node: other } })).toMatchObject({ node: other });
    } finally {
      moving = false;
      await writing;
    }
    expect((await show(company.id)).node).toBe(other);
    const { token } = company.admin;
    const { body } = await call(program.url, 'GET', '/api/documents?limit=1&total=true', { token });
    expect((body as { total: number }).total).toBe(written + 1);
    const { items } = await client.fleet.listSystemAudit();
    expect(items).toContainEqual(
      expect.objectContaining({ action: 'company.node_moved', target: company.id, outcome: 'success' }),
    );
    // There already.
    expect(await client.fleet.moveCompanyNode({ params, body: { node: other } })).toMatchObject({ node: other });
  });

  test('are not moved to a node that there is not', async () => {
    const { client } = await program.operator();
    await expect(
      client.fleet.moveCompanyNode({ params: { id: company.id }, body: { node: 'nowhere:5432' } }),
    ).rejects.toMatchObject({ status: 422, code: 'node_unknown' });
  });

  test('reach no rows of each other', async () => {
    const other = await program.company('Spread Neighbour', { placement: 'schema' });
    const [mine, theirs] = [await show(company.id), await show(other.id)];
    const rights = await cluster.ask<{ may: boolean }>(
      `SELECT has_schema_privilege('${mine.database_name}', '${theirs.database_name}', 'USAGE') AS may`,
    );
    expect(rights).toEqual([{ may: false }]);
  });

  test.each(['place.citus.roles', 'place.citus.schema'])(
    'are completed where making them failed at %s',
    async (point) => {
      const { client } = await program.operator();
      const email = 'office@example.com';
      armFailpoints(`${point}=throw`);
      const made = await client.fleet.createCompany({ body: { name: `Half ${point.slice(12)}`, email } });
      expect(made.status).toBe('creating');
      disarmFailpoints();
      await program.program.kernel.settle();
      await expect.poll(async () => (await show(made.id)).status, { timeout: 15_000 }).toBe('active');
      expect(await nodes()).toContain((await show(made.id)).node);
    },
  );

  test.each(['place.citus.roles', 'place.citus.schema'])(
    'leave nothing where making them was given up at %s',
    async (point) => {
      const { kernel } = program.program;
      armFailpoints(`${point}=throw`);
      const { client } = await program.operator();
      const body = { name: `Given up ${point.slice(12)}`, email: 'office@example.com' };
      const { id } = await client.fleet.createCompany({ body });
      expect(await traces(cluster, idPart(id))).not.toEqual([]);
      await kernel.tenants.abandon(id as TenantId, { kind: 'system' });
      disarmFailpoints();
      expect(await traces(cluster, idPart(id))).toEqual([]);
    },
  );

  test('are examined and found right', async () => {
    expect(await program.program.kernel.doctor.examine({ repair: false })).toEqual([]);
  });

  test('leave nothing when they are deleted, on no node', async () => {
    const { client } = await program.operator();
    await client.fleet.deleteCompany({ params: { id: company.id }, query: { confirm: company.slug, purge: 'now' } });
    expect(await traces(cluster, idPart(company.id))).toEqual([]);
  });
}
