/**
 * The audit trails of the whole program (promise A10): every security event exactly once, in the trail where it
 * belongs, sealed by the running worker; a change of the file is found over HTTP, with the row.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.ts';
import { startTestProgram, type TestCompany, type TestPerson, type TestProgram } from '../support/program.ts';
import { call, expectCall, password, uploadFile } from '../support/story.ts';

interface Row {
  readonly seq: number;
  readonly actor: string;
  readonly action: string;
  readonly target: string | null;
  readonly outcome: string;
  readonly details: Record<string, unknown>;
  readonly ip: string | null;
  readonly request_id: string | null;
}
interface Page {
  readonly items: Row[];
  readonly next_cursor: string | null;
  readonly verification?: {
    readonly ok: boolean;
    readonly rows: number;
    readonly sealed: number;
    readonly unsealed: number;
    readonly first_bad?: { readonly seq: number; readonly reason: string };
  };
}

let test: TestProgram;
let company: TestCompany;
let operator: TestPerson;
let employee: TestPerson;
let documentId: string;

beforeAll(async () => {
  test = await startTestProgram();
  operator = await test.operator();
  company = await test.company('Audited');
  employee = await test.person(company.admin, 'employee', 'employee@people.example');
  ({ id: documentId } = await uploadFile(test.url, company.admin.token, 'a.txt', 'hello'));
}, 60_000);
afterAll(() => test.stop());

/** A whole trail, oldest first, page by page. */
async function trail(path = '/api/audit', token = company.admin.token): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor = '';
  for (;;) {
    const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page = await expectCall(200, test.url, 'GET', `${path}?limit=7${query}`, { token });
    rows.push(...page.items);
    if (page.next_cursor === null) return rows.toReversed();
    cursor = page.next_cursor;
  }
}

/** What `work` adds to the trail, reads of the trail itself left out. */
async function added(work: () => Promise<unknown>, path?: string, token?: string): Promise<Row[]> {
  const before = (await trail(path, token)).at(-1)?.seq ?? 0;
  await work();
  return (await trail(path, token)).filter((row) => row.seq > before);
}
const outline = (rows: Row[]) => rows.map((row) => [row.action, row.outcome]);
const get = (path: string, person: TestPerson) => call(test.url, 'GET', path, { token: person.token });

describe('a security event', () => {
  const events: [string, () => Promise<unknown>, [string, string][]][] = [
    [
      'a sign-in',
      () =>
        call(test.url, 'POST', '/api/auth/login', {
          body: { username: employee.email, password, company: company.id },
        }),
      [['session.created', 'success']],
    ],
    [
      'a sign-in that was refused',
      () =>
        call(test.url, 'POST', '/api/auth/login', {
          body: { username: employee.email, password: 'no', company: company.id },
        }),
      [['session.refused', 'refused']],
    ],
    [
      'a download',
      () => get(`/api/documents/${documentId}/download`, company.admin),
      [['document.downloaded', 'success']],
    ],
    ['a list', () => get('/api/documents', company.admin), []],
    [
      'a share',
      () =>
        call(test.url, 'PUT', `/api/documents/${documentId}/shares/${employee.id}`, {
          token: company.admin.token,
          body: { access: 'read' },
        }),
      [['document.shared', 'success']],
    ],
    [
      'an invitation above the own rank',
      () =>
        call(test.url, 'POST', '/api/user-management/invite', {
          token: employee.token,
          body: { email: 'x@people.example', full_name: 'X', role: 'hr_admin' },
        }),
      [['invitation.refused', 'refused']],
    ],
  ];
  it.each(events)('as %s stands there exactly once', async (_, work, expected) => {
    const before = (await trail()).at(-1)?.seq ?? 0;
    await work();
    // A refusal is written in a transaction of its own, which its answer does not wait for.
    await expect
      .poll(async () => outline((await trail()).filter((row) => row.seq > before)), { timeout: 10_000 })
      .toEqual(expected);
  });

  it('tells who, what, from where and by which request', async () => {
    const rows = await added(() => get(`/api/documents/${documentId}/download`, employee));
    expect(rows).toMatchObject([
      {
        actor: `user:${employee.id}`,
        target: documentId,
        ip: expect.stringMatching(/127\.0\.0\.1|::1/),
        request_id: expect.any(String),
      },
    ]);
  });

  it('of the lifecycle stands in the trail of the fleet', async () => {
    const fleet = () => trail('/api/system/audit', operator.token);
    const before = (await fleet()).at(-1)!.seq;
    await expectCall(200, test.url, 'POST', `/api/companies/${company.id}/suspend`, { token: operator.token });
    await expectCall(200, test.url, 'POST', `/api/companies/${company.id}/resume`, { token: operator.token });
    const rows = (await fleet()).filter((row) => row.seq > before && row.action.startsWith('company.'));
    expect(rows.map((row) => [row.action, row.target, row.actor])).toEqual([
      ['company.suspended', company.id, `operator:${operator.id}`],
      ['company.resumed', company.id, `operator:${operator.id}`],
    ]);
  });

  it('holds no password, token or key', async () => {
    const text = JSON.stringify([...(await trail()), ...(await trail('/api/system/audit', operator.token))]);
    for (const secret of [password, company.admin.token, employee.token]) expect(text).not.toContain(secret);
  });
});

describe('an attempt on another company', () => {
  it('is written once at once, and the rest of the minute as one row with its count', async () => {
    const other = await test.company('Other');
    const rows = await added(async () => {
      for (let n = 0; n < 30; n += 1) await get(`/api/documents?company_id=${other.id}`, employee);
      await test.program.kernel.audit.flush();
    });
    const attempts = rows.filter((row) => row.action === 'isolation.foreign_company');
    // One minute, or two where it turned while the test ran; never a row a request.
    expect([2, 3, 4]).toContain(attempts.length);
    expect(attempts[0]!.details).not.toHaveProperty('count');
    const total = attempts.reduce((sum, row) => sum + Number(row.details.count ?? 1), 0);
    expect(total).toBe(30);
    for (const row of attempts)
      expect(row).toMatchObject({ actor: `user:${employee.id}`, outcome: 'refused', target: other.id });
    // The other company learns nothing of it.
    expect(JSON.stringify(await trail('/api/audit', other.admin.token))).not.toContain(employee.id);
  });

  it('counts an id that was never issued', async () => {
    const unknown = newId('document');
    const rows = await added(async () => {
      expect((await get(`/api/documents/${unknown}`, employee)).status).toBe(404);
      await test.program.kernel.audit.flush();
    });
    expect(rows).toMatchObject([{ action: 'isolation.unknown_id', target: unknown, outcome: 'refused' }]);
  });
});

describe('the chain', () => {
  const verified = async (path = '/api/audit', token = company.admin.token) =>
    (await expectCall<Page>(200, test.url, 'GET', `${path}?limit=1&verify=true`, { token })).verification!;

  it('is sealed by the running program without being asked, with uploads side by side', async () => {
    const { token } = company.admin;
    await Promise.all(Array.from({ length: 40 }, (_, n) => uploadFile(test.url, token, `many-${n}.txt`, `text ${n}`)));
    await expect.poll(async () => (await verified()).unsealed, { interval: 200 }).toBe(0);
    const whole = await verified();
    expect(whole).toMatchObject({ ok: true, sealed: whole.rows });
    expect(whole.rows).toBeGreaterThan(40);
    const created = (await trail()).filter((row) => row.action === 'document.created');
    expect(new Set(created.map((row) => row.target)).size).toBe(created.length);
    expect(created).toHaveLength(41);
  });

  it('names the row that somebody changed in the file, and leaves other companies intact', async () => {
    const other = await test.company('Untouched');
    const victim = (await trail()).find((row) => row.action === 'document.downloaded')!;
    const file = join(test.dataDir, 'tenants', company.id.slice('comp_'.length), 'tenant.db');
    const db = new DatabaseSync(file);
    // Not by waiting in SQLite: the program that may write at this moment is in this process.
    await expect.poll(() => db.exec('begin immediate'), { timeout: 10_000 }).toBeUndefined();
    expect(() => db.exec(`update audit_log set actor = 'host' where seq = ${victim.seq}`)).toThrow('append-only');
    db.exec('drop trigger audit_log_no_update');
    db.exec(`update audit_log set actor = 'host' where seq = ${victim.seq}`);
    db.exec('commit');
    db.close();
    expect(await verified()).toMatchObject({ ok: false, first_bad: { seq: victim.seq } });
    expect(await verified('/api/audit', other.admin.token)).toMatchObject({ ok: true });
    expect(await verified('/api/system/audit', operator.token)).toMatchObject({ ok: true });
  });
});
