/**
 * What is in schemas that share a database, read for several at once on the provisioner's connection, each as its own
 * owner: signing in with each tenant's login would cost many times the reading. Whatever is not as expected is looked at
 * with the tenant's own login, which tells what is wrong.
 */
import type { Placement, PlacementRef, PlacementState } from './placement.ts';
import { isOwn, readAsOwnersText, type Unit } from './postgres-as-owner.ts';
import { onCitus } from './postgres-citus.ts';
import { memberText } from './postgres-roles.ts';
import type { SchemaParts } from './postgres-schema.ts';
import { inspectUnit } from './postgres-unit.ts';

/** Schemas read by one message, and messages under way at once. */
const most = 50;
const lanes = 2;

interface Asked {
  readonly ref: PlacementRef;
  readonly found: PromiseWithResolvers<PlacementState | undefined>;
}

/** Those asked for while others are being read are read together in the next message. */
export function createSchemaInspector(parts: SchemaParts): Placement['inspect'] {
  let waiting: Asked[] = [];
  let running = 0;

  async function drain(): Promise<void> {
    running += 1;
    // Whoever asks in the same turn is taken along.
    await Promise.resolve();
    while (waiting.length > 0) {
      const some = waiting.slice(0, most);
      waiting = waiting.slice(most);
      const states = await readMany(parts, some).catch(() => new Map<PlacementRef, PlacementState>());
      for (const { ref, found } of some) found.resolve(states.get(ref));
    }
    running -= 1;
  }

  return async (ref) => {
    const asked: Asked = { ref, found: Promise.withResolvers() };
    waiting.push(asked);
    if (running < lanes) void drain();
    return (await asked.found.promise) ?? inspectUnit(parts, ref);
  };
}

async function readMany(
  parts: SchemaParts,
  asked: readonly Asked[],
): Promise<ReadonlyMap<PlacementRef, PlacementState>> {
  const refs = asked.map(({ ref }) => ref);
  const databases = await parts.credentials.databases(refs.map(({ tenantId }) => tenantId));
  const states = new Map<PlacementRef, PlacementState>();
  for (const [database, group] of Map.groupBy(refs, ({ tenantId }) => databases.get(tenantId))) {
    if (database === undefined) continue;
    // One that cannot be read keeps the others of its message from it: each then goes for itself.
    const units = await readUnits(parts, database, group).catch(() => []);
    const byTenant = Map.groupBy(units, (unit) => unit.asked);
    for (const ref of group) {
      const rows = byTenant.get(ref.tenantId) ?? [];
      if (isOwn(rows, ref)) states.set(ref, stateOf(rows[0]!));
    }
  }
  return states;
}

function readUnits(parts: SchemaParts, database: string, refs: readonly PlacementRef[]): Promise<readonly Unit[]> {
  return parts.server.admin(async (session, traits) => {
    // There a transaction has one role.
    if (await onCitus(parts.spread, session, database)) return [];
    const joining = refs.map(({ unit }) => memberText(traits, parts.names.roles(unit).owner).join);
    const reading = readAsOwnersText(parts.names, refs);
    return session.scriptRows<Unit>(`BEGIN; ${joining.join(' ')} ${reading}; ROLLBACK`);
  }, database);
}

const stateOf = ({ tenant_id, generation, fingerprint, ledger }: Unit): PlacementState => ({
  exists: true,
  identity: { tenantId: tenant_id, generation, fingerprint },
  applied: ledger,
});
