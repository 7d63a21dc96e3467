import type { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { minute } from '../clock.ts';
import type { Tenant } from '../handles.ts';
import { openWorld, type World } from '../jobs/test-support.ts';
import { createAttempts } from './attempts.ts';
import type { AuditEntry } from './audit.ts';

const entry = (action = 'document.read', more: Partial<AuditEntry> = {}): AuditEntry => ({
  action,
  actor: { kind: 'user', id: 'user_one', role: 'employee', sessionId: 'sess_one' },
  target: 'doc_one',
  outcome: 'success',
  source: { ip: '192.0.2.1', requestId: 'request-1' },
  ...more,
});

let world: World;
let tenant: Tenant;
beforeAll(async () => {
  world = await openWorld();
});
beforeEach(async () => {
  tenant = await world.newTenant();
});
afterAll(() => world.close());

async function write(count: number, action = 'document.read'): Promise<void> {
  for (let n = 0; n < count; n += 1) await world.background.audit.note(tenant, entry(action, { details: { n } }));
}

async function sealed(...sizes: number[]): Promise<void> {
  for (const size of sizes) {
    await write(size);
    await world.background.audit.seal(tenant, { force: true });
  }
}

describe('the audit trail', () => {
  it('stands exactly when the acting transaction was committed', async () => {
    const { audit } = world.background;
    await tenant.db.transaction((tx) => audit.record(tx, tenant, entry('document.created')));
    await expect(
      tenant.db.transaction(async (tx) => {
        await audit.record(tx, tenant, entry('document.deleted'));
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await write(1);
    const { items, nextCursor } = await audit.list(tenant, { limit: 10 });
    expect(items.map((row) => [row.seq, row.action])).toEqual([
      [2, 'document.read'],
      [1, 'document.created'],
    ]);
    expect(items[0]).toMatchObject({
      actor: 'user:user_one',
      target: 'doc_one',
      outcome: 'success',
      details: { n: 0 },
      ip: '192.0.2.1',
      requestId: 'request-1',
    });
    expect(nextCursor).toBeNull();
  });

  it('pages from the newest to the oldest without a gap', async () => {
    await write(7);
    const seen: number[] = [];
    let before: number | undefined;
    for (;;) {
      const page = await world.background.audit.list(tenant, { limit: 3, ...(before === undefined ? {} : { before }) });
      seen.push(...page.items.map((row) => row.seq));
      if (page.nextCursor === null) break;
      before = Number(page.nextCursor);
    }
    expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
  });

  it('stores what strangers send cut and in a form that every database takes', async () => {
    await world.background.audit.note(
      tenant,
      entry('isolation.foreign_id', { target: `a\0b\ud800${'x'.repeat(5_000)}` }),
    );
    const { items } = await world.background.audit.list(tenant, { limit: 1 });
    expect(items[0]!.target).toMatch(/^a\ufffdb\ufffdx+$/);
    expect(items[0]!.target!.length).toBe(200);
  });

  it('refuses changes by the database itself', async () => {
    await sealed(1);
    const change = tenant.db.transaction((tx) => tx.updateTable('audit_log').set({ action: 'x' }).execute());
    await expect(change).rejects.toThrow();
    await expect(tenant.db.transaction((tx) => tx.deleteFrom('audit_seals').execute())).rejects.toThrow();
    expect((await world.background.audit.verify(tenant)).ok).toBe(true);
  });

  it('is sealed by the worker, and reports what is not sealed yet', async () => {
    await using own = await openWorld();
    const { audit } = own.background;
    const company = await own.newTenant();
    for (let n = 0; n < 3; n += 1) await audit.note(company, entry());
    expect(await audit.verify(company)).toMatchObject({ ok: true, rows: 3, unsealed: 3, sealed: 0 });
    own.worker.start();
    await expect.poll(() => audit.verify(company)).toEqual({ ok: true, rows: 3, sealed: 3, unsealed: 0 });
  });

  it('takes 1,000 events at once without a fork, with sealers racing', async () => {
    const { audit } = world.background;
    const notes = Array.from({ length: 1_000 }, (_, n) =>
      audit.note(tenant, entry('document.read', { details: { n } })),
    );
    const seals = Array.from({ length: 20 }, async (_, n) => {
      await new Promise((resolve) => setTimeout(resolve, n * 5));
      await audit.seal(tenant, { force: true });
    });
    await Promise.all([...notes, ...seals]);
    await audit.seal(tenant, { force: true });
    expect(await audit.verify(tenant)).toEqual({ ok: true, rows: 1_000, sealed: 1_000, unsealed: 0 });
    const all = await tenant.db.read.selectFrom('audit_log').select('details').execute();
    expect(new Set(all.map((row) => row.details)).size).toBe(1_000);
  });

  it('keeps the trail of the fleet in the same way', async () => {
    await using own = await openWorld();
    const { audit } = own.background;
    own.worker.start();
    await own.control.transaction((tx) => audit.recordFleet(tx, entry('company.created')));
    await audit.noteFleet(entry('company.suspended'));
    await expect.poll(() => audit.verifyFleet()).toEqual({ ok: true, rows: 2, sealed: 2, unsealed: 0 });
    own.tamper(null, (db) => db.exec(`update audit_log set target = 'comp_other' where seq = 2`));
    expect((await audit.verifyFleet()).firstBad).toEqual({ seq: 2, reason: 'the row was changed or moved' });
    expect((await audit.listFleet({ limit: 10 })).items.map((row) => row.action)).toEqual([
      'company.suspended',
      'company.created',
    ]);
  });
});

describe('verification', () => {
  const columns = ['id', 'at', 'actor', 'action', 'target', 'outcome', 'details', 'ip', 'request_id'];
  it.each(columns)('names the row whose %s was edited', async (column) => {
    await sealed(4, 4);
    world.tamper(tenant, (db) => db.exec(`update audit_log set ${column} = '{"x":1}' where seq = 6`));
    const verdict = await world.background.audit.verify(tenant);
    expect(verdict).toMatchObject({ ok: false, rows: 8, firstBad: { seq: 6, reason: 'the row was changed or moved' } });
  });

  const swap = (db: DatabaseSync, table: string, key: string, a: number, b: number) => {
    db.exec(`update ${table} set ${key} = -1 where ${key} = ${a}`);
    db.exec(`update ${table} set ${key} = ${a} where ${key} = ${b}`);
    db.exec(`update ${table} set ${key} = ${b} where ${key} = -1`);
  };
  const copyRow = (db: DatabaseSync, from: number, to: number) =>
    db.exec(`insert into audit_log select ${to}, id || 'x', at, actor, action, target, outcome, details, ip, request_id
             from audit_log where seq = ${from}`);

  const cases: [string, number, RegExp, (db: DatabaseSync) => void][] = [
    ['a removed row', 3, /removed/, (db) => db.exec('delete from audit_log where seq = 3')],
    ['the first row removed', 1, /removed/, (db) => db.exec('delete from audit_log where seq = 1')],
    ['two rows that changed places', 2, /moved/, (db) => swap(db, 'audit_log', 'seq', 2, 7)],
    ['a row put before the beginning', 0, /before the beginning/, (db) => copyRow(db, 2, 0)],
    [
      'a row put in, all others moved on',
      5,
      /changed or moved/,
      (db) => {
        db.exec('update audit_log set seq = -seq where seq >= 5');
        db.exec('update audit_log set seq = 1 - seq where seq < 0');
        copyRow(db, 2, 5);
      },
    ],
    [
      'sealed rows cut off at the end, seals left',
      11,
      /removed/,
      (db) => db.exec('delete from audit_log where seq >= 11'),
    ],
    [
      'the tail cut off together with its seals',
      9,
      /cut off/,
      (db) => db.exec('delete from audit_log where seq > 8; delete from audit_seals where number > 2'),
    ],
    [
      'the last seal removed',
      9,
      /seal of this row was removed/,
      (db) => db.exec('delete from audit_seals where number = 3'),
    ],
    [
      'a seal removed from the middle',
      5,
      /seal of this row was removed/,
      (db) => db.exec('delete from audit_seals where number = 2'),
    ],
    ['everything removed', 1, /cut off/, (db) => db.exec('delete from audit_log; delete from audit_seals')],
    ['seals that changed places', 1, /seal of this row was changed/, (db) => swap(db, 'audit_seals', 'number', 1, 2)],
    [
      'a seal with another range',
      5,
      /seal of this row was changed/,
      (db) => db.exec('update audit_seals set to_seq = 7, rows = 3 where number = 2'),
    ],
    [
      'a seal with other digests',
      5,
      /seal of this row was changed/,
      (db) =>
        db.exec(`update audit_seals set digests = (select digests from audit_seals where number = 1) where number = 2`),
    ],
    [
      'a seal with another time',
      9,
      /seal of this row was changed/,
      (db) => db.exec(`update audit_seals set at = '2020-01-01T00:00:00.000Z' where number = 3`),
    ],
    [
      'a seal with another HMAC',
      9,
      /seal of this row was changed/,
      (db) => db.exec(`update audit_seals set hmac = 'x' where number = 3`),
    ],
  ];
  it.each(cases)('finds %s', async (_, seq, reason, harm) => {
    await sealed(4, 4, 4);
    expect(await world.background.audit.verify(tenant)).toEqual({ ok: true, rows: 12, sealed: 12, unsealed: 0 });
    world.tamper(tenant, harm);
    const verdict = await world.background.audit.verify(tenant);
    expect(verdict.ok).toBe(false);
    expect(verdict.firstBad).toEqual({ seq, reason: expect.stringMatching(reason) });
  });

  it('finds a cut tail after the trail went on and was sealed again', async () => {
    await sealed(4, 4, 4);
    world.tamper(tenant, (db) =>
      db.exec('delete from audit_log where seq > 4; delete from audit_seals where number > 1'),
    );
    await sealed(4, 4, 4);
    const verdict = await world.background.audit.verify(tenant);
    expect(verdict.firstBad).toEqual({ seq: 9, reason: expect.stringContaining('not the one whose head was kept') });
  });

  it('finds a removed head', async () => {
    await sealed(4, 4);
    const rows = await world.control.read
      .selectFrom('audit_heads')
      .selectAll()
      .where('trail', '=', tenant.id)
      .execute();
    expect(rows).toMatchObject([{ number: 2, to_seq: 8 }]);
    world.tamper(null, (db) => db.exec(`delete from audit_heads where trail = '${tenant.id}'`));
    expect((await world.background.audit.verify(tenant)).firstBad?.reason).toContain('head of the chain was removed');
  });

  it('finds two histories of one trail that were put together', async () => {
    await sealed(2, 2);
    const rows = await tenant.db.read.selectFrom('audit_log').selectAll().where('seq', '>', 2).execute();
    const [seal] = await tenant.db.read.selectFrom('audit_seals').selectAll().where('number', '=', 2).execute();
    const [first] = await tenant.db.read.selectFrom('audit_seals').selectAll().where('number', '=', 1).execute();
    const cut = 'delete from audit_log where seq in (3, 4); delete from audit_seals where number = 2';
    // As if an older copy had been put back, and the trail had gone on from there.
    world.tamper(tenant, (db) => db.exec(cut));
    world.tamper(null, (db) =>
      db.exec(`update audit_heads set number = 1, to_seq = 2, hmac = '${first!.hmac}' where trail = '${tenant.id}'`),
    );
    await sealed(2, 2);
    expect((await world.background.audit.verify(tenant)).ok).toBe(true);
    world.tamper(tenant, (db) => {
      db.exec(cut);
      db.exec(`update audit_seals set previous = '${seal!.hmac}' where number = 3`);
    });
    await tenant.db.transaction(async (tx) => {
      await tx.insertInto('audit_log').values(rows).execute();
      await tx.insertInto('audit_seals').values(seal!).execute();
    });
    expect((await world.background.audit.verify(tenant)).firstBad).toEqual({
      seq: 5,
      reason: 'the seal of this row was changed',
    });
  });

  it("does not take one company's trail for another's", async () => {
    await sealed(2);
    const other = await world.newTenant();
    const rows = await tenant.db.read.selectFrom('audit_log').selectAll().execute();
    const seals = await tenant.db.read.selectFrom('audit_seals').selectAll().execute();
    await other.db.transaction(async (tx) => {
      await tx.insertInto('audit_log').values(rows).execute();
      await tx.insertInto('audit_seals').values(seals).execute();
    });
    const heads = await world.control.read
      .selectFrom('audit_heads')
      .selectAll()
      .where('trail', '=', tenant.id)
      .execute();
    await world.control.transaction((tx) =>
      tx
        .insertInto('audit_heads')
        .values({ ...heads[0]!, trail: other.id })
        .execute(),
    );
    expect((await world.background.audit.verify(other)).firstBad).toMatchObject({ seq: 1 });
  });

  it('notices that a row was taken out of the unsealed tail', async () => {
    await sealed(2);
    await write(3);
    world.tamper(tenant, (db) => db.exec('delete from audit_log where seq = 4'));
    expect((await world.background.audit.verify(tenant)).firstBad).toMatchObject({ seq: 3 });
  });

  it('goes on over a crash between a seal and its head', async () => {
    await sealed(2, 2);
    world.tamper(null, (db) =>
      db.exec(`update audit_heads set (number, to_seq, hmac) = (0, 0, '') where trail = '${tenant.id}'`),
    );
    await sealed(2);
    expect(await world.background.audit.verify(tenant)).toMatchObject({ ok: true, sealed: 6 });
    const head = await world.control.read
      .selectFrom('audit_heads')
      .selectAll()
      .where('trail', '=', tenant.id)
      .execute();
    expect(head).toMatchObject([{ number: 3 }]);
  });
});

describe('attempts', () => {
  const foreign = entry('isolation.foreign_id', { outcome: 'refused' });
  const counts = async () =>
    (await world.background.audit.list(tenant, { limit: 50 })).items
      .toReversed()
      .map((row) => [row.actor, row.details.count ?? null]);

  it('writes the first at once and the others of that minute as one row', async () => {
    for (let n = 0; n < 500; n += 1) world.background.audit.attempt(tenant, foreign);
    await expect.poll(counts).toEqual([['user:user_one', null]]);
    await world.background.audit.flush();
    expect(await counts()).toEqual([
      ['user:user_one', null],
      ['user:user_one', 499],
    ]);
  });

  it('begins anew with the minute, the caller and the action', async () => {
    const { audit } = world.background;
    audit.attempt(tenant, foreign);
    audit.attempt(tenant, foreign);
    audit.attempt(tenant, { ...foreign, action: 'isolation.token_mismatch' });
    audit.attempt(tenant, { ...foreign, actor: { kind: 'anonymous' } });
    world.advance(minute);
    audit.attempt(tenant, foreign);
    await audit.flush();
    expect((await counts()).toSorted()).toEqual(
      [
        ['user:user_one', null],
        ['user:user_one', null],
        ['anonymous', null],
        ['user:user_one', 1],
        ['user:user_one', null],
      ].toSorted(),
    );
  });

  it('is written by the close', async () => {
    await using own = await openWorld();
    const { audit } = own.background;
    audit.attempt(null, foreign);
    audit.attempt(null, foreign);
    await audit.close();
    const { items } = await audit.listFleet({ limit: 10 });
    expect(items.map((row) => [row.outcome, row.details.count ?? null])).toEqual([
      ['refused', 1],
      ['refused', null],
    ]);
  });

  it('keeps counts of a bounded number of callers and loses none', async () => {
    const written: AuditEntry[] = [];
    const attempts = createAttempts({
      clock: world.clock,
      write: async (_, one) => void written.push(one),
      failed: () => {},
      limit: 10,
    });
    for (let n = 0; n < 100; n += 1) {
      const actor = { kind: 'anonymous' } as const;
      for (let time = 0; time < 3; time += 1) {
        attempts.add(null, { ...foreign, actor, source: { ip: `192.0.2.${n}` } });
      }
    }
    expect(attempts.size).toBe(10);
    await attempts.close();
    expect(written.reduce((sum, one) => sum + Number(one.details?.count ?? 1), 0)).toBe(300);
  });
});
