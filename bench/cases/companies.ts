/** Creating a company, the first query of a cold one, a no-op migration of ten thousand, and what a fleet costs at rest. */

import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { addCompanyRows } from '../many-companies.ts';
import { fsyncCost, median, processFigures, quantile, type Row, timed } from '../measure.ts';
import { call, type Member, newCompany, send, setUpOperator, upload } from '../people.ts';
import { benchFolder, removeFolder, startBare, startProduct } from '../server.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

/**
 * The least that a durable new company costs: a copy of the migrated file (fsynced, renamed, folder and parent synced),
 * a bucket folder, and three durable commits: reserve, the tenant's identity and first invitation, activate.
 */
function bareCreate(folder: string, template: string): () => void {
  const control = new DatabaseSync(join(folder, 'bare-control.db'));
  control.exec(
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE IF NOT EXISTS t (id integer primary key, state text)',
  );
  const reserve = control.prepare("insert into t (state) values ('creating') returning id");
  const activate = control.prepare("update t set state = 'active' where id = ?");
  mkdirSync(join(folder, 'tenants'), { recursive: true });
  mkdirSync(join(folder, 'buckets'), { recursive: true });
  let serial = 0;
  return () => {
    serial += 1;
    const { id } = reserve.get() as { id: number };
    const home = join(folder, 'tenants', String(serial));
    mkdirSync(home);
    copyFileSync(template, join(home, 'tenant.tmp'));
    syncPath(join(home, 'tenant.tmp'));
    renameSync(join(home, 'tenant.tmp'), join(home, 'tenant.db'));
    syncPath(home);
    syncPath(join(folder, 'tenants'));
    const tenant = new DatabaseSync(join(home, 'tenant.db'));
    tenant.exec(
      'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE bare_identity (id text); INSERT INTO bare_identity VALUES (1)',
    );
    tenant.close();
    mkdirSync(join(folder, 'buckets', String(serial)));
    syncPath(join(folder, 'buckets'));
    activate.run(id);
  };
}

export async function run(quick: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  const folder = benchFolder('companies');
  const bareFolder = benchFolder('bare');
  const bare = await startBare(bareFolder);
  let product = await startProduct(folder, { STRONGROOM_MAX_CONNECTIONS: '200' });
  try {
    const operator = await setUpOperator(product);
    const fsync = fsyncCost(folder);
    rows.push({ what: 'one fsync here', bare: null, ours: fsync, unit: 'ms', aim: 'as the machine has it', met: null });
    const members: Member[] = [await newCompany(product, operator)];
    const template = join(
      folder,
      'templates',
      readdirSync(join(folder, 'templates')).find((name) => name.endsWith('.db'))!,
    );
    const bareOne = bareCreate(bareFolder, template);
    const bareTimes: number[] = [];
    const times: number[] = [];
    const create = (index: number) =>
      send(product.url, 'POST', '/api/companies', operator, {
        name: `Made ${index}`,
        email: `made-${index}@example.com`,
        admin: { email: `admin-${index}@example.com`, full_name: 'HR admin' },
      });
    // A server that has just started is still compiling its own code: that is not what a company costs.
    const warm = 40;
    for (let index = 0; index < warm; index += 1) await create(index);
    for (let index = 0; index < (quick ? 60 : 200); index += 1) {
      bareTimes.push(await timed(bareOne));
      times.push(await timed(() => create(warm + index)));
    }
    rows.push({
      what: 'create a company, median',
      bare: median(bareTimes),
      ours: median(times),
      unit: 'ms',
      aim: 'within 2x of bare',
      met: median(times) <= 2 * median(bareTimes),
    });
    rows.push({
      what: 'create a company, p95',
      bare: quantile(bareTimes, 0.95),
      ours: quantile(times, 0.95),
      unit: 'ms',
      aim: fsync <= 0.5 ? '<= 25 ms' : '<= 25 ms where an fsync costs <= 0.5 ms',
      met: quantile(times, 0.95) <= 25,
    });

    await upload(product.url, members[0]!.token, 'one.txt', Buffer.from('one'));
    rows.push(await coldOpen(product.url, operator, members[0]!, bare.url, quick));

    const active = quick ? 30 : 200;
    while (members.length < active) members.push(await newCompany(product, operator));
    await product.stop();
    addCompanyRows(folder, 10_000 - active);
    rows.push(noOpMigrate(folder, quick));
    product = await startProduct(folder, { STRONGROOM_MAX_CONNECTIONS: '200' });
    const rest = processFigures(product.pid);
    rows.push({
      what: 'memory at rest with 10,000 companies',
      bare: null,
      ours: rest.rssMb,
      unit: 'MB',
      aim: 'printed',
      met: null,
      note: `open files: ${rest.openFiles}`,
    });
    const hundred = members.slice(0, 100);
    for (const member of hundred) await call(product.url, 'GET', '/api/documents?limit=50', member.token);
    const busy = processFigures(product.pid);
    const open = (await call(product.url, 'GET', '/api/system/status', operator)).connections;
    rows.push({
      what: `memory with ${hundred.length} companies open`,
      bare: null,
      ours: busy.rssMb,
      unit: 'MB',
      aim: '<= 300 MB',
      met: busy.rssMb <= 300,
      note: `open files ${busy.openFiles}, connections ${open.open} of ${open.budget}`,
    });
    let worst = 0;
    for (const member of members) {
      await call(product.url, 'GET', '/api/documents?limit=50', member.token);
      worst = Math.max(worst, (await call(product.url, 'GET', '/api/system/status', operator)).connections.open);
    }
    const all = processFigures(product.pid);
    rows.push({
      what: `connections open with ${members.length} active companies of 10,000`,
      bare: 200,
      ours: worst,
      unit: 'connections',
      aim: 'never above the budget',
      met: worst <= 200,
      note: `memory ${all.rssMb.toFixed(0)} MB, open files ${all.openFiles}`,
    });
  } finally {
    await product.stop();
    await bare.stop();
    removeFolder(folder);
    removeFolder(bareFolder);
  }
  return rows;
}

async function coldOpen(url: string, operator: string, member: Member, bareUrl: string, quick: boolean): Promise<Row> {
  const cold: number[] = [];
  const bareCold: number[] = [];
  for (let index = 0; index < (quick ? 20 : 60); index += 1) {
    await call(url, 'DELETE', `/api/system/connections/${member.company}`, operator);
    cold.push(await timed(() => call(url, 'GET', '/api/documents?limit=50', member.token)));
    bareCold.push(await timed(() => call(bareUrl, 'GET', '/cold', null)));
  }
  return {
    what: 'first query of a cold company',
    bare: median(bareCold),
    ours: median(cold),
    unit: 'ms',
    aim: 'printed',
    met: null,
  };
}

function noOpMigrate(folder: string, quick: boolean): Row {
  const times: number[] = [];
  for (let index = 0; index < (quick ? 3 : 7); index += 1) {
    const start = performance.now();
    const result = spawnSync(process.execPath, [join(root, 'bin/strongroom.js'), 'migrate', '--json'], {
      cwd: root,
      env: { ...process.env, STRONGROOM_DATA_DIR: folder, STRONGROOM_LOG_LEVEL: 'error' },
    });
    times.push(performance.now() - start);
    if (result.status !== 0) throw new Error(`migrate: ${result.stderr.toString().slice(0, 500)}`);
  }
  const node: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    const start = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    node.push(performance.now() - start);
  }
  const ours = median(times);
  return {
    what: 'no-op migrate of 10,000 companies, whole process',
    bare: median(node),
    ours,
    unit: 'ms',
    aim: '<= 350 ms (bare: an empty Node process)',
    met: ours <= 350,
  };
}
