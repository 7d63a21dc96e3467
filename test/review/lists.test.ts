/** Every list takes `limit`, `cursor` and `total`, as the contract says of lists in general. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProgram } from '../../src/server/program.ts';
import { call, newCompany, setUpOperator, uploadFile } from '../support/story.ts';
import { temporaryConfig } from './support.ts';

const { config, remove } = temporaryConfig();
let program: Awaited<ReturnType<typeof startProgram>>;
let url: string;
let lists: (readonly [path: string, token: string])[];

beforeAll(async () => {
  program = await startProgram(config);
  url = program.address;
  const operator = (await setUpOperator(url, program.setupToken!)).access_token;
  const company = await newCompany(url, operator, 'Lists');
  await newCompany(url, operator, 'More lists');
  const { token } = company.admin;
  const { id } = await uploadFile(url, token, 'one.txt', 'one');
  await uploadFile(url, token, 'one.txt', 'two', { on_conflict: 'version' });
  const ofCompany = `/api/companies/${company.id}`;
  lists = [
    ...['/api/system/users', '/api/system/connections', '/api/system/audit', '/api/system/migrations'].map(byOperator),
    ...['/api/companies', `${ofCompany}/operations`, `${ofCompany}/database/logs`].map(byOperator),
    ...['/api/auth/sessions', '/api/audit', '/api/user-management/users', '/api/baskets', '/api/documents'].map(
      byAdmin,
    ),
    ...['/api/user-management/invitations', `/api/documents/${id}/versions`, `/api/documents/${id}/history`].map(
      byAdmin,
    ),
  ];
  function byOperator(path: string) {
    return [path, operator] as const;
  }
  function byAdmin(path: string) {
    return [path, token] as const;
  }
});

afterAll(async () => {
  await program.close();
  remove();
});

interface List {
  items: Record<string, unknown>[];
  next_cursor: string | null;
  total: number;
}

/** What of an item no use of it moves on. */
function unchanging({ idle_since: _, last_seen_at: __, leased: ___, open: ____, ...rest }: Record<string, unknown>) {
  return rest;
}

test('pages add up to the total', async () => {
  let turned = 0;
  for (const [path, token] of lists) {
    const read = async (query: string) => {
      const answer = await call<List>(url, 'GET', `${path}?total=true&${query}`, { token });
      expect(answer.status, `${path} ${answer.text}`).toBe(200);
      return answer.body;
    };
    const whole = await read('limit=200');
    expect(whole.total, path).toBe(whole.items.length);
    const first = await read('limit=1');
    expect([first.items.length, first.total], path).toEqual([Math.min(1, whole.total), whole.total]);
    if (whole.total < 2) continue;
    turned += 1;
    const next = await read(`limit=1&cursor=${encodeURIComponent(first.next_cursor!)}`);
    expect(next.items.map(unchanging), path).toEqual([unchanging(whole.items[1]!)]);
  }
  expect(turned).toBeGreaterThan(5);
});
