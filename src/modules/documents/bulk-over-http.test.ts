import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  startTestProgram,
  type TestCompany,
  type TestPerson,
  type TestProgram,
} from '../../../test/support/program.ts';
import { call } from '../../../test/support/story.ts';
import { unzip } from '../../../test/support/zip.ts';

let test: TestProgram;
let company: TestCompany;
let person: TestPerson;
let other: TestPerson;
beforeAll(async () => {
  test = await startTestProgram();
  company = await test.company('Many at once');
  person = await test.person(company.admin, 'employee');
  other = await test.person(company.admin, 'employee');
});
afterAll(() => test?.stop());

interface Body {
  readonly code: string;
  readonly errors: readonly { readonly path: string; readonly message: string }[];
  readonly done: number;
  readonly failed: number;
  readonly matching: number;
  readonly items: readonly { readonly id: string; readonly status: string; readonly code?: string }[];
}

const bulk = (body: unknown, who = person, headers: Record<string, string> = {}) =>
  call<Body>(test.url, 'POST', '/api/documents/bulk', { token: who.token, body, headers });
const archive = (body: unknown, who = person) =>
  call<Body>(test.url, 'POST', '/api/documents/archive', { token: who.token, body });
const add = async (who: TestPerson, filename: string, text = 'some bytes') =>
  (await who.client.documents.upload(new TextEncoder().encode(text), { filename })).id;
const trash = { type: 'trash' };
const unknown = (at: number) => `doc_${String(at).padStart(26, '0')}`;

describe('POST /api/documents/bulk', () => {
  it('answers for each document, by ids and by a filter, through the typed client', async () => {
    const ids = [await add(person, 'first.txt'), await add(person, 'second.txt')];
    const client = person.client.documents;
    expect(await client.bulkDocuments({ body: { ids, action: { type: 'tag', add: ['x', 'x'] } } })).toEqual({
      done: 2,
      failed: 0,
      dry_run: false,
      items: [
        { id: ids[0], status: 'done', filename: 'first.txt' },
        { id: ids[1], status: 'done', filename: 'second.txt' },
      ],
    });
    const filter = { tag: 'x', q: 'FIRST' };
    const rehearsed = await client.bulkDocuments({ body: { filter, action: { type: 'trash' }, dry_run: true } });
    expect(rehearsed).toMatchObject({ done: 1, dry_run: true });
    expect((await client.getDocument({ params: { id: ids[0]! } })).trashed_at).toBe(null);
    expect((await bulk({ filter, action: trash })).body).toMatchObject({ done: 1, failed: 0 });
    // As the list's query says it, and as JSON does.
    for (const trashed of ['true', true]) {
      const found = await bulk({ filter: { trashed, tag: 'x' }, action: { type: 'restore' }, dry_run: true });
      expect(found.body, String(trashed)).toMatchObject({ done: 1 });
    }
    const metadata = await client.updateDocument({ params: { id: ids[1]! }, body: { metadata: { kind: 'bill' } } });
    const byKind = await bulk({ filter: { 'metadata.kind': 'bill' }, action: trash });
    expect(byKind.body.items.map(({ id }) => id)).toEqual([metadata.id]);
  });

  it('what another one owns, and what never was, are answered alike', async () => {
    const theirs = await add(other, 'theirs.txt');
    const plain = (text: string, id: string) => text.replaceAll(id, '<id>');
    for (const action of [trash, { type: 'restore' }, { type: 'tag', add: ['a'] }, { type: 'move', basket_id: null }]) {
      const [hidden, none] = [await bulk({ ids: [theirs], action }), await bulk({ ids: [unknown(1)], action })];
      expect(plain(hidden.text, theirs), action.type).toBe(plain(none.text, unknown(1)));
      expect(hidden.body).toMatchObject({ done: 0, failed: 1, items: [{ code: 'not_found' }] });
    }
    expect((await other.client.documents.getDocument({ params: { id: theirs } })).tags).toEqual([]);
  });

  it('has one effect for one Idempotency-Key', async () => {
    const id = await add(person, 'once.txt');
    const headers = { 'idempotency-key': 'bulk-once' };
    const [first, again] = [
      await bulk({ ids: [id], action: trash }, person, headers),
      await bulk({ ids: [id], action: trash }, person, headers),
    ];
    expect(first.body).toMatchObject({ done: 1 });
    expect(again.text).toBe(first.text);
    expect((await bulk({ ids: [id], action: { type: 'restore' } }, person, headers)).body.code).toBe(
      'idempotency_key_reused',
    );
    expect((await bulk({ ids: [id], action: trash })).body).toMatchObject({ done: 0, failed: 1 });
  });
});

describe('POST /api/documents/archive', () => {
  it('is a ZIP with its length, inert, as an attachment', async () => {
    const ids = [await add(person, 'a.txt', 'one'), await add(person, 'b.txt', 'two')];
    const answer = await person.client.documents.archiveDocuments({ body: { ids } });
    expect(answer.headers.get('content-type')).toBe('application/zip');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="documents [\d-]+\.zip"/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
    expect(answer.headers.get('cache-control')).toContain('no-store');
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(answer.headers.get('content-length')).toBe(String(bytes.length));
    expect([...unzip(bytes)].map(([name, text]) => [name, text.toString()])).toEqual([
      ['a.txt', 'one'],
      ['b.txt', 'two'],
    ]);
    const theirs = await add(other, 'hidden.txt');
    for (const id of [theirs, unknown(2), 'malformed']) {
      const refused = await archive({ ids: [...ids, id] });
      expect([refused.status, refused.body.code], id).toEqual([404, 'not_found']);
    }
  });

  it('comes to a form of our own pages with a ticket, and to no other', async () => {
    const ids = [await add(person, 'form-a.txt', 'one'), await add(person, 'form-b.txt', 'two')];
    const path = '/api/documents/archive';
    const ticketFor = async (path: string) => {
      const answer = await call(test.url, 'POST', '/api/auth/ticket', { token: person.token, body: { path } });
      return answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    };
    const send = (cookie: string, headers: Record<string, string> = {}, where = path) =>
      fetch(test.url + where, {
        method: 'POST',
        body: new URLSearchParams({ ids: ids.join(',') }),
        headers: { cookie, 'sec-fetch-site': 'same-origin', ...headers },
      });
    const cookie = await ticketFor(path);
    const answer = await send(cookie);
    expect(answer.status).toBe(200);
    expect([...unzip(Buffer.from(await answer.arrayBuffer())).keys()]).toEqual(['form-a.txt', 'form-b.txt']);
    expect((await send('')).status).toBe(401);
    expect((await send(await ticketFor(`/api/documents/${ids[0]}/download`))).status).toBe(401);
    expect((await send(cookie, { 'sec-fetch-site': 'same-site' })).status).toBe(401);
    expect((await send(cookie, { 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    // What changes something takes no ticket.
    expect(await ticketFor('/api/documents/bulk')).toBe('');
    expect((await send(cookie, {}, '/api/documents/bulk')).status).toBe(401);
  });

  it('a client that hangs up ends it, and harms nobody', async () => {
    const ids: string[] = [];
    for (let at = 0; at < 4; at += 1) ids.push(await add(person, `hung-up-${at}.bin`, 'x'.repeat(8_000_000)));
    const body = JSON.stringify({ ids });
    const head =
      'POST /api/documents/archive HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n' +
      `Content-Length: ${body.length}\r\nAuthorization: Bearer ${person.token}\r\n\r\n`;
    for (let at = 0; at < 20; at += 1) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(new URL(test.url).port), '127.0.0.1');
        socket.on('error', () => undefined).on('close', () => resolve());
        socket.on('data', () => (at % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()));
        socket.write(head + body);
      });
    }
    const whole = await person.client.documents.archiveDocuments({ body: { ids } });
    expect(unzip(Buffer.from(await whole.arrayBuffer())).size).toBe(4);
  }, 60_000);
});
