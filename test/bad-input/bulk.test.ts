/** Bodies of the requests about many documents that break a rule: refused with the fields that do, and without effect. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningProcess, startProcess } from '../support/process.ts';
import { call, newCompany, type Person, setUpOperator, uploadFile } from '../support/story.ts';
import { companyWorld } from '../support/world.ts';
import { hostileTexts, judge } from './refusals.ts';

const folder = mkdtempSync(join(tmpdir(), 'strongroom-bulk-'));
let server: RunningProcess;
let admin: Person;
let id: string;
let world: () => string[];

beforeAll(async () => {
  server = await startProcess(folder, { env: { STRONGROOM_LOG_LEVEL: 'error' } });
  const operator = (await setUpOperator(server.url, server.setupToken!)).access_token;
  const company = await newCompany(server.url, operator, 'Bulk Works');
  admin = company.admin;
  id = (await uploadFile(server.url, admin.token, 'one.txt', 'one')).id;
  // What is made of a document to be shown comes by itself meanwhile.
  const kept = /^(documents|document_\w+|baskets|shares|audit_log|idempotency) /;
  world = () => companyWorld(folder, company.id, company.bucket).filter((row) => kept.test(row));
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bulk = (body: unknown, headers: Record<string, string> = {}) =>
  call(server.url, 'POST', '/api/documents/bulk', { token: admin.token, body, headers });
const archive = (body: unknown) => call(server.url, 'POST', '/api/documents/archive', { token: admin.token, body });
const pathsOf = (answer: { body: Record<string, unknown> }) =>
  ((answer.body.errors ?? []) as { path: string }[]).map(({ path }) => path);

const trash = { type: 'trash' };
const many = (count: number) => Array.from({ length: count }, (_, at) => `doc_${String(at).padStart(26, '0')}`);

/** What breaks a rule, and the field that is named. */
const broken = (): [string, unknown, string][] => [
  ['nothing chosen', { action: trash }, 'ids'],
  ['both', { ids: [id], filter: {}, action: trash }, 'ids'],
  ['no ids', { ids: [], action: trash }, 'ids'],
  ['one twice', { ids: [id, 'x', id], action: trash }, 'ids.2'],
  ['too many', { ids: many(1_001), action: trash }, 'ids'],
  ['no list', { ids: id, action: trash }, 'ids'],
  ['a number', { ids: [7], action: trash }, 'ids.0'],
  ['an id of a megabyte', { ids: ['x'.repeat(10_000)], action: trash }, 'ids.0'],
  ['no action', { ids: [id] }, 'action'],
  ['an action as a text', { ids: [id], action: 'trash' }, 'action'],
  ['an unknown action', { ids: [id], action: { type: 'purge' } }, 'action.type'],
  ['more than the action has', { ids: [id], action: { type: 'trash', basket_id: null } }, 'action.basket_id'],
  ['a move without a basket', { ids: [id], action: { type: 'move' } }, 'action.basket_id'],
  ['no tags', { ids: [id], action: { type: 'tag', add: [] } }, 'action.add'],
  ['tags as a text', { ids: [id], action: { type: 'tag', add: 'a' } }, 'action.add'],
  ['51 tags', { ids: [id], action: { type: 'tag', add: many(51) } }, 'action.add'],
  ['a tag in both', { ids: [id], action: { type: 'tag', add: ['é'], remove: ['e\u0301'] } }, 'action.remove'],
  ['an unknown filter', { filter: { nonsense: 'x' }, action: trash }, 'filter.nonsense'],
  ['a filter with paging', { filter: { limit: '5' }, action: trash }, 'filter.limit'],
  ['a filter with an order', { filter: { sort: 'filename' }, action: trash }, 'filter.sort'],
  ['a filter as a text', { filter: 'all', action: trash }, 'filter'],
  ['a time that is none', { filter: { created_from: 'yesterday' }, action: trash }, 'filter.created_from'],
  ['the trash once more', { filter: { trashed: true }, action: trash }, 'filter.trashed'],
  ['what is not in the trash', { filter: { trashed: 'false' }, action: { type: 'restore' } }, 'filter.trashed'],
  ['a rehearsal as a text', { ids: [id], action: trash, dry_run: 'yes' }, 'dry_run'],
  ['an unknown field', { ids: [id], action: trash, force: true }, 'force'],
];

test('what breaks a rule is 422 with the field that does, and changes nothing', async () => {
  const before = world();
  expect(before.length).toBeGreaterThan(2);
  for (const [what, body, path] of broken()) {
    const answer = await bulk(body);
    judge(answer, 422, what);
    expect(pathsOf(answer), what).toContain(path);
  }
  for (const body of ['', [], null, 7, 'x']) judge(await bulk(body), [400, 422], JSON.stringify(body));
  judge(await bulk({ ids: [id], action: trash }, { 'idempotency-key': 'a b' }), 422, 'key');
  expect(world()).toEqual(before);
});

test('what is malformed as an id is unknown, and a thousand of them are answered', async () => {
  for (const wrong of ['', '..', 'doc_x', '%00', "' or 1=1--", id.toUpperCase(), `${id} `, '__proto__']) {
    const answer = await bulk({ ids: [wrong], action: trash });
    judge(answer, 200, wrong);
    expect(answer.body.items, wrong).toMatchObject([{ id: wrong, status: 'failed', code: 'not_found' }]);
    judge(await archive({ ids: [wrong] }), 404, wrong);
  }
  const answer = await bulk({ ids: many(1_000), action: trash });
  judge(answer, 200, 'a thousand');
  expect(answer.body).toMatchObject({ done: 0, failed: 1_000 });
  judge(await archive({ ids: many(1_000) }), 404, 'an archive of a thousand');
});

test('hostile texts as tags, names and filters are kept as they are, or refused', async () => {
  for (const [row, value] of hostileTexts) {
    judge(await bulk({ filter: { q: value, tag: value }, action: trash }), [200, 413, 422], `row ${row} filter`);
    const tagged = await bulk({ ids: [id], action: { type: 'tag', add: [value] } });
    judge(tagged, [200, 413, 422], `row ${row} tag`);
    if (tagged.status !== 200) continue;
    const read = await call<{ tags: string[] }>(server.url, 'GET', `/api/documents/${id}`, { token: admin.token });
    expect(read.body.tags, `row ${row}`).toContain(value.normalize('NFC'));
    judge(await bulk({ ids: [id], action: { type: 'tag', remove: [value] } }), 200, `row ${row} back`);
  }
});

test('an archive of nothing, of too much or of one thing twice', async () => {
  for (const [what, ids] of [
    ['none', []],
    ['twice', [id, id]],
    ['too many', many(1_001)],
    ['a text of nothing', ''],
    ['twice in a text', `${id},${id}`],
    ['a number', 7],
  ] as const) {
    judge(await archive({ ids }), what === 'a text of nothing' ? [404, 422] : 422, what);
  }
  judge(await archive({}), 422, 'nothing');
  judge(await archive({ ids: [id], filter: {} }), 422, 'more');
  for (const path of ['bulk', 'archive']) {
    judge(await call(server.url, 'GET', `/api/documents/${path}`, { token: admin.token }), [404, 405], `GET ${path}`);
    judge(await call(server.url, 'DELETE', `/api/documents/${path}`, { token: admin.token }), [404, 405], path);
  }
});
