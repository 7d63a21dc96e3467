/**
 * What every placement must do, run by a test file of each. The suite sees placements through their contract alone.
 */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isUniqueViolation } from '../../src/kernel/database/unique-violation.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Placement, PlacementAlarm, PlacementRef } from '../../src/kernel/placements/placement.ts';

export interface PlacementUnderTest {
  readonly placement: Placement;
  readonly alarms: PlacementAlarm[];
  /** Puts the database of `from` in the place of `to`, as a mistaken restore would. */
  swap(from: PlacementRef, to: PlacementRef): Promise<void>;
  close(): Promise<void>;
}

export function placementSuite(name: string, start: () => Promise<PlacementUnderTest>): void {
  describe(`placement ${name}`, () => {
    let under: PlacementUnderTest;
    let placement: Placement;
    beforeAll(async () => {
      under = await start();
      placement = under.placement;
    });
    afterAll(() => under?.close());

    function newRef(): PlacementRef {
      const tenantId = newId('company');
      return { tenantId, kind: placement.kind, unit: placement.unitName(tenantId), server: null, generation: 1 };
    }
    async function units(): Promise<string[]> {
      const found: string[] = [];
      for await (const unit of placement.listUnits()) found.push(unit);
      return found;
    }
    async function made(): Promise<PlacementRef> {
      const ref = newRef();
      await placement.create(ref);
      await placement.stamp(ref);
      await placement.migrate(ref);
      return ref;
    }

    test('a unit is made, stamped and migrated, and each verb can run again', async () => {
      const ref = newRef();
      expect((await placement.inspect(ref)).exists).toBe(false);
      for (let again = 0; again < 2; again += 1) {
        await placement.create(ref);
        await placement.stamp(ref);
        await placement.migrate(ref);
      }
      const state = await placement.inspect(ref);
      expect(state.exists).toBe(true);
      expect(state.identity).toMatchObject({ tenantId: ref.tenantId, generation: 1 });
      expect(state.identity?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
      expect(state.applied.length).toBeGreaterThan(0);
      expect(await placement.size(ref)).toBeGreaterThan(0);
      expect((await placement.migrate(ref)).applied).toEqual([]);
    });

    test('opening never creates', async () => {
      const ref = newRef();
      for (const purpose of ['read', 'write', 'migrate'] as const) {
        await expect(placement.open(ref, purpose)).rejects.toMatchObject({ code: 'database_missing' });
      }
      expect((await placement.inspect(ref)).exists).toBe(false);
    });

    test('a reader cannot write, a writer cannot change structure, identity or ledger', async () => {
      const ref = await made();
      const read = await placement.open(ref, 'read');
      const write = await placement.open(ref, 'write');
      await expect(sql`UPDATE identity SET generation = 9`.execute(read.kysely)).rejects.toThrow();
      await expect(sql`CREATE TABLE planted (id integer)`.execute(read.kysely)).rejects.toThrow();
      for (const statement of [
        sql`CREATE TABLE planted (id integer)`,
        sql`DROP TABLE identity`,
        sql`ALTER TABLE identity ADD COLUMN planted integer`,
        sql`UPDATE identity SET generation = 9`,
        sql`DELETE FROM migrations`,
      ]) {
        await write.session.begin();
        await expect(statement.execute(write.kysely)).rejects.toThrow();
        await write.session.rollback();
      }
      await read.close();
      await write.close();
      expect((await placement.inspect(ref)).identity?.generation).toBe(1);
    });

    test('a database in another tenant’s place is refused with an alarm, and left as it is', async () => {
      const a = await made();
      const b = await made();
      await under.swap(a, b);
      under.alarms.length = 0;
      for (const purpose of ['read', 'write', 'migrate'] as const) {
        await expect(placement.open(b, purpose)).rejects.toMatchObject({ code: 'identity_mismatch' });
      }
      expect(under.alarms.map((alarm) => alarm.tenantId)).toEqual([b.tenantId, b.tenantId, b.tenantId]);
      await expect(placement.migrate(b)).rejects.toMatchObject({ code: 'identity_mismatch' });
      await expect(placement.stamp(b)).rejects.toMatchObject({ code: 'database_taken' });
      expect((await placement.inspect(b)).identity?.tenantId).toBe(a.tenantId);
    });

    test('an older generation is refused', async () => {
      const ref = await made();
      await expect(placement.open({ ...ref, generation: 2 }, 'read')).rejects.toMatchObject({
        code: 'identity_mismatch',
      });
    });

    test('a unit is listed, destroyed, and destroyed again', async () => {
      const ref = await made();
      const other = await made();
      expect(await units()).toContain(ref.unit);
      await placement.destroy(ref);
      await placement.destroy(ref);
      const listed = await units();
      expect(listed).not.toContain(ref.unit);
      expect(listed).toContain(other.unit);
      await expect(placement.open(ref, 'read')).rejects.toMatchObject({ code: 'database_missing' });
      await placement.destroyUnit(other.unit);
      expect(await units()).not.toContain(other.unit);
      await expect(placement.destroyUnit('../../etc')).rejects.toMatchObject({ code: 'not_a_unit' });
    });

    test('names are lower-case, short and different', () => {
      const names = Array.from({ length: 100 }, () => placement.unitName(newId('company')));
      expect(new Set(names).size).toBe(100);
      for (const unit of names) expect(unit).toMatch(/^[a-z0-9_-]{1,63}$/);
    });

    test('a value that is taken is recognisable', async () => {
      const ref = await made();
      const migrate = await placement.open(ref, 'migrate');
      const row = { module: 'twice', name: '0001-twice', applied_at: '' };
      const insert = () => migrate.kysely.insertInto('migrations').values(row).execute();
      await insert();
      const error = await insert().catch((thrown: unknown) => thrown);
      expect(isUniqueViolation(error)).toMatchObject({ table: 'migrations', columns: ['module', 'name'] });
      await migrate.close();
    });
  });
}
