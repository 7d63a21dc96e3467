import { describe, expect, it } from 'vitest';
import { ListDocuments } from './contract.ts';
import { listed, openWorld, outcome, type Person, query, upload, type World } from './test-support.ts';

/** As it comes from a query string. */
const parse = (values: Record<string, string>) => ListDocuments.safeParse(values);

async function all(world: World, person: Person, values: Record<string, unknown>): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.documents.documents.list(person, query({ ...values, cursor }));
    names.push(...page.items.map((item) => item.filename));
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return names;
}

describe('the list of documents', () => {
  it('gives every document once, in every order, for every reach', async () => {
    const world = await openWorld();
    const company = await world.company();
    const [admin, manager, employee, customer] = (await Promise.all(
      (['hr_admin', 'hr_manager', 'employee', 'customer'] as const).map((role) => company.person(role)),
    )) as [Person, Person, Person, Person];
    const { baskets, shares, documents } = world.documents;
    const basket = await baskets.create(employee, { name: 'b' });
    await shares.put(employee, 'basket', basket.id, customer.id, 'write');
    for (let index = 0; index < 12; index += 1) {
      const name = `f${String((index * 7) % 12).padStart(2, '0')}.txt`;
      await upload(
        world,
        employee,
        name,
        'x'.repeat((index * 5) % 12),
        index % 2 === 0 ? { basket_id: basket.id } : {},
      );
      await upload(world, customer, `c-${name}`, 'y', { basket_id: basket.id });
      if (index % 4 === 0) await upload(world, admin, `a-${name}`, 'z');
    }
    for (const [person, count] of [
      [admin, 27],
      [manager, 24],
      [employee, 24],
      [customer, 18],
    ] as const) {
      for (const column of ['created_at', 'updated_at', 'filename', 'size_bytes'] as const) {
        const up = await all(world, person, { sort: column, limit: 5 });
        const down = await all(world, person, { sort: `-${column}`, limit: 4 });
        expect(up, `${person.viewer.role} by ${column}`).toHaveLength(count);
        expect(new Set(up).size).toBe(count);
        expect(down).toEqual(up.toReversed());
        if (column === 'filename') expect(up).toEqual(up.toSorted());
      }
      expect((await documents.list(person, query({ total: true, limit: 1 }))).total).toBe(count);
    }
  });

  it('filters literally', async () => {
    const world = await openWorld();
    const company = await world.company();
    const person = await company.person('hr_admin');
    const { documents } = world.documents;
    await upload(world, person, '100%.txt', 'a', { metadata: '{"year":2024,"kind":"a_b","draft":true}' }, 'text/plain');
    await upload(world, person, 'under_score.csv', 'b', { metadata: '{"year":"2024","a.b":"dotted"}' }, 'text/csv');
    const { document } = await upload(world, person, "o'clock \\n.txt".replace('\\n', ''), 'c', {}, 'text/plain');
    await documents.update(person, document.id, { tags: ['Blue', 'Blue', 'red'] });
    const cases: [Record<string, unknown>, string[]][] = [
      [{ q: '%' }, ['100%.txt']],
      [{ q: '_' }, ['under_score.csv']],
      [{ q: "O'CLOCK" }, ["o'clock .txt"]],
      [{ q: '\\' }, []],
      [{ q: '*' }, []],
      [{ q: '%%%%' }, []],
      [{ mime_type: 'TEXT/CSV' }, ['under_score.csv']],
      [{ tag: 'Blue' }, ["o'clock .txt"]],
      [{ tag: 'blue' }, []],
      [{ 'metadata.year': '2024' }, ['100%.txt', 'under_score.csv']],
      [{ 'metadata.kind': 'a_b', 'metadata.draft': 'true' }, ['100%.txt']],
      [{ 'metadata.a.b': 'dotted' }, ['under_score.csv']],
      [{ 'metadata.kind': 'a%b' }, []],
      [{ owner: person.id, created_from: '2000-01-01T00:00:00.000Z' }, ['100%.txt', "o'clock .txt", 'under_score.csv']],
      [{ created_to: '2000-01-01T00:00:00.000Z' }, []],
    ];
    for (const [values, names] of cases)
      expect(await listed(world, person, values), JSON.stringify(values)).toEqual(names);
    await documents.update(person, document.id, { tags: [], metadata: { year: 1 } });
    expect(await listed(world, person, { tag: 'Blue' })).toEqual([]);
    expect(await listed(world, person, { 'metadata.year': '1' })).toEqual(["o'clock .txt"]);
    expect(await outcome(listed(world, person, { owner: 'user_x' }))).toBe('not_found');
    expect(await outcome(listed(world, person, { basket_id: 'bskt_x' }))).toBe('not_found');
  });

  it('refuses parameters that it does not know', () => {
    for (const values of [
      { 'metadata.x': 'y' },
      { 'metadata.a.b[c]': 'y' },
      { limit: '200', sort: '-filename', total: 'true' },
    ]) {
      expect(parse(values as Record<string, string>).success, JSON.stringify(values)).toBe(true);
    }
    const wrong = [
      { metadata: 'x' },
      { 'metadata.': 'x' },
      { 'metadata.x': '' },
      { company_id: 'x' },
      { page: '2' },
      { constructor: 'x' },
      { limit: '0' },
      { limit: '201' },
      { limit: '-1' },
      { limit: '1.5' },
      { limit: '10;drop' },
      { sort: 'password_hash' },
      { sort: 'id;--' },
      { sort: '' },
      { trashed: '1' },
      { created_from: 'yesterday' },
      { q: '' },
      { q: 'a\u0000' },
      { q: 'x'.repeat(201) },
      Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`metadata.k${index}`, 'v'])),
    ];
    for (const values of wrong)
      expect(parse(values as Record<string, string>).success, JSON.stringify(values)).toBe(false);
  });

  it('takes only cursors that it gave for this list, order, filter and person', async () => {
    const world = await openWorld();
    const [one, two] = [await world.company(), await world.company()];
    const [person, other, stranger] = [
      await one.person('hr_admin'),
      await one.person('hr_admin'),
      await two.person('hr_admin'),
    ];
    for (const name of ['a', 'b', 'c']) await upload(world, person, name, name);
    const { list } = world.documents.documents;
    const cursor =
      (await list(person, query({ limit: 1, q: 'a' }))).next_cursor ??
      (await list(person, query({ limit: 1 }))).next_cursor!;
    const tampered = [
      `${cursor}x`,
      cursor.slice(1),
      cursor.slice(0, -1),
      cursor.toUpperCase(),
      Buffer.from('["2000",""]').toString('base64url'),
      `${Buffer.from("' or 1=1").toString('base64url')}.${cursor.split('.')[1]}`,
      '.',
      'x'.repeat(1_000),
    ];
    for (const text of tampered) expect(await outcome(list(person, query({ limit: 1, cursor: text })))).toBe('invalid');
    expect(await outcome(list(person, query({ limit: 1, cursor })))).toBe('ok');
    expect(await outcome(list(other, query({ limit: 1, cursor })))).toBe('invalid');
    expect(await outcome(list(stranger, query({ limit: 1, cursor })))).toBe('invalid');
    expect(await outcome(list(person, query({ cursor, sort: 'filename' })))).toBe('invalid');
    expect(await outcome(list(person, query({ cursor, tag: 'x' })))).toBe('invalid');
  });

  it('reads its first page from an index, for those who see all', async () => {
    const world = await openWorld();
    const company = await world.company();
    const { sql } = await import('kysely');
    for (const sort of ['created_at', 'updated_at', 'filename', 'size_bytes']) {
      const plan = await sql<{
        detail: string;
      }>`explain query plan select d.id from documents d join users u on u.id = d.owner_id
        where d.trashed_at is null order by ${sql.ref(`d.${sort}`)} desc, d.id desc limit 51`.execute(
        company.tenant.db.read,
      );
      const details = plan.rows.map((row) => row.detail).join('\n');
      expect(details, sort).not.toContain('TEMP B-TREE');
      expect(details).toContain('USING');
    }
  });
});
