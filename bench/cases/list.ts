/** The signed-in list of 50 documents against a bare Fastify route with the same query on one SQLite file. */
import { load } from '../load.ts';
import { addCompanyRows } from '../many-companies.ts';
import { alternate, median, type Row } from '../measure.ts';
import { call, login, newCompany, setUpOperator, upload } from '../people.ts';
import { benchFolder, removeFolder, startBare, startProduct } from '../server.ts';

const path = '/api/documents?limit=50';

export async function run(quick: boolean): Promise<Row[]> {
  const rows: Row[] = [];
  const pairs = quick ? 3 : 5;
  const seconds = quick ? 2 : 4;
  const bareFolder = benchFolder('bare');
  const folder = benchFolder('list');
  const bare = await startBare(bareFolder);
  let product = await startProduct(folder, { STRONGROOM_MAX_CONNECTIONS: '400' });
  try {
    const operator = await setUpOperator(product);
    const first = await newCompany(product, operator);
    for (let index = 0; index < 200; index += 1) {
      await upload(product.url, first.token, `file-${index}.txt`, Buffer.from(`content ${index}`));
    }
    const at = (connections: number, tokens: string[]) =>
      load({ url: product.url + path, connections, seconds, tokens });
    const bareAt = (connections: number) => load({ url: `${bare.url}/list`, connections, seconds });

    const c32 = await alternate(
      pairs,
      () => bareAt(32),
      () => at(32, [first.token]),
    );
    const bareRate = median(c32.bare.map((one) => one.rate));
    const rate = median(c32.ours.map((one) => one.rate));
    const bareP99 = median(c32.bare.map((one) => one.p99));
    const p99 = median(c32.ours.map((one) => one.p99));
    const errors = c32.ours.reduce((sum, one) => sum + one.errors, 0);
    rows.push({
      what: 'list of 50, 32 connections',
      bare: bareRate,
      ours: rate,
      unit: '/s',
      aim: '>= 0.5 of bare',
      met: rate >= 0.5 * bareRate,
      note: `errors: ${errors}`,
    });
    rows.push({
      what: 'list of 50, p99',
      bare: bareP99,
      ours: p99,
      unit: 'ms',
      aim: '<= 2.5x bare',
      met: p99 <= 2.5 * bareP99,
    });

    const c1 = await at(1, [first.token]);
    rows.push({
      what: 'list of 50, 32 connections against 1',
      bare: c1.rate,
      ours: rate,
      unit: '/s',
      aim: '>= 1.8x',
      met: rate >= 1.8 * c1.rate,
    });

    const members = [first];
    for (let index = 1; index < 100; index += 1) {
      const member = await newCompany(product, operator);
      members.push(member);
      for (let file = 0; file < (quick ? 5 : 50); file += 1) {
        await upload(product.url, member.token, `file-${file}.txt`, Buffer.from(`content ${index} ${file}`));
      }
    }
    // A company with as many documents as the first would need 20,000 uploads; the list asks for what is there.
    const small = members.slice(1);
    const one = [];
    const hundred = [];
    for (let pair = 0; pair < pairs; pair += 1) {
      one.push((await at(32, [small[0]!.token])).rate);
      hundred.push(
        (
          await at(
            32,
            small.map((member) => member.token),
          )
        ).rate,
      );
    }
    rows.push({
      what: 'list, 100 companies against 1',
      bare: median(one),
      ours: median(hundred),
      unit: '/s',
      aim: 'no slower (>= 0.9)',
      met: median(hundred) >= 0.9 * median(one),
    });

    const before = median(await several(pairs, async () => (await at(32, [first.token])).rate));
    for (let index = 0; index < 1_000; index += 1) await login(product.url, first);
    const sessions = median(await several(pairs, async () => (await at(32, [first.token])).rate));
    rows.push({
      what: 'list after 1,000 more sessions',
      bare: before,
      ours: sessions,
      unit: '/s',
      aim: 'no slower (>= 0.9)',
      met: sessions >= 0.9 * before,
    });

    await product.stop();
    addCompanyRows(folder, 10_000);
    product = await startProduct(folder, { STRONGROOM_MAX_CONNECTIONS: '400' });
    const token = await login(product.url, first);
    const fleet = median(await several(pairs, async () => (await at(32, [token])).rate));
    rows.push({
      what: 'list with 10,000 more companies',
      bare: before,
      ours: fleet,
      unit: '/s',
      aim: 'no slower (>= 0.9)',
      met: fleet >= 0.9 * before,
    });

    rows.push(...(await storm(product.url, first, token, seconds)));
    await call(product.url, 'GET', '/health', null);
  } finally {
    await product.stop();
    await bare.stop();
    removeFolder(folder);
    removeFolder(bareFolder);
  }
  return rows;
}

async function several<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let index = 0; index < times; index += 1) results.push(await work());
  return results;
}

/** The list's p99 while eight clients sign in without pause, against the same load in quiet. */
async function storm(url: string, member: Parameters<typeof login>[1], token: string, seconds: number): Promise<Row[]> {
  const quiet = await load({ url: url + path, connections: 8, seconds, tokens: [token] });
  let going = true;
  let signIns = 0;
  const storming = Array.from({ length: 8 }, async () => {
    while (going) {
      await login(url, member).then(
        () => {
          signIns += 1;
        },
        () => undefined,
      );
    }
  });
  const loud = await load({ url: url + path, connections: 8, seconds, tokens: [token] });
  going = false;
  await Promise.all(storming);
  return [
    {
      what: 'list p99 during a sign-in storm, 8 connections',
      bare: quiet.p99,
      ours: loud.p99,
      unit: 'ms',
      aim: '<= 4x quiet',
      met: loud.p99 <= 4 * quiet.p99,
      note: `${signIns} sign-ins meanwhile`,
    },
  ];
}
