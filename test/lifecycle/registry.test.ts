/** The registry's memory against a control database that answers late. */
import { describe, expect, it } from 'vitest';
import type { ControlDb } from '../../src/kernel/database/database.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createRegistry } from '../../src/kernel/tenants/registry.ts';
import { createTestTenant, openTestKernel, testOperator } from '../support/kernel.ts';
import { probeModule } from '../support/lifecycle.ts';

/** The same database, whose reads wait for `gate`; counts them. */
function slowed(control: ControlDb) {
  const state = { reads: 0, gate: Promise.resolve() };
  const read = new Proxy(control.read, {
    get(target, name) {
      if (name !== 'selectFrom') return Reflect.get(target, name);
      return (table: never) => late(target.selectFrom(table) as never);
    },
  });
  function late<T extends object>(query: T): T {
    return new Proxy(query, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name === 'executeTakeFirst') {
          return async () => {
            state.reads += 1;
            const result = await value.call(target);
            await state.gate;
            return result;
          };
        }
        return (...args: unknown[]) => late(value.apply(target, args));
      },
    });
  }
  return { state, control: { ...control, read } as ControlDb };
}

describe('registry', () => {
  it('asks once however many ask, and never keeps what an invalidation overtook', async () => {
    const kernel = await openTestKernel({}, { modules: (made) => [probeModule(made)] });
    const { record } = await createTestTenant(kernel);
    const { state, control } = slowed(kernel.control);
    const registry = createRegistry({ control });
    const open = Promise.withResolvers<void>();
    state.gate = open.promise;
    const early = [registry.get(record.id), registry.get(record.id), registry.find(record.slug)];
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(state.reads).toBe(2);
    await kernel.tenants.suspend(record.id, testOperator);
    registry.invalidate(record.id);
    const late = registry.get(record.id);
    open.resolve();
    // Who asked before may get what was; who asks afterwards may not, and nothing old stays.
    await Promise.all(early);
    expect((await late)?.state).toBe('suspended');
    expect((await registry.get(record.id))?.state).toBe('suspended');
    expect((await registry.find(record.slug))?.state).toBe('suspended');
    // The same where nobody asked in between: what came too late was not kept.
    const again = Promise.withResolvers<void>();
    state.gate = again.promise;
    registry.invalidateAll();
    const overtaken = [registry.get(record.id), registry.find(record.slug)];
    await new Promise((resolve) => setTimeout(resolve, 50));
    await kernel.tenants.resume(record.id, testOperator);
    registry.invalidate(record.id);
    again.resolve();
    await Promise.all(overtaken);
    expect(registry.cached(record.id)).toBeUndefined();
    expect((await registry.find(record.slug))?.state).toBe('active');
  });

  it('keeps no absence and stays within its bound', async () => {
    const kernel = await openTestKernel({}, { modules: (made) => [probeModule(made)] });
    const registry = createRegistry({ control: kernel.control, limit: 4 });
    const records = [];
    for (let index = 0; index < 8; index += 1) records.push((await createTestTenant(kernel)).record);
    for (const record of records) expect((await registry.get(record.id))?.slug).toBe(record.slug);
    for (let index = 0; index < 100; index += 1) expect(await registry.get(newId('company'))).toBeUndefined();
    expect(registry.size).toBe(4);
    const used = records[4]!;
    for (const record of records.slice(0, 3)) {
      await registry.get(used.id);
      await registry.get(record.id);
    }
    expect(registry.cached(used.id)?.id).toBe(used.id);
  });
});
