/**
 * The operator's test of one company's database: is it there, is it the company's own, does it answer. Ends within a
 * deadline, and says what is wrong in words of its own: never a host, a path, a password or a driver's message.
 */
import { isStrongroomError } from '../../kernel/errors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { TenantRecord } from '../../kernel/tenants/tenants.ts';
import type { DatabaseTest } from './contract.ts';
import { late, within } from './deadline.ts';

const deadlineMs = 5_000;

const reasons: Readonly<Record<string, string>> = {
  database_missing: 'There is no database.',
  database_unreadable: 'The database is damaged or is not a database.',
  database_unreachable: 'The database does not answer.',
  identity_mismatch: 'The database belongs to another company or to an older placement.',
};
const noAnswer = 'The database does not answer.';

type Verdict = Pick<DatabaseTest, 'ok' | 'identity'> & { reason?: string };

export async function testDatabase(kernel: Kernel, record: TenantRecord): Promise<DatabaseTest> {
  const started = performance.now();
  let verdict: Verdict;
  try {
    const examined = await within(deadlineMs, examine(kernel, record));
    verdict = examined === late ? { ok: false, identity: 'unknown', reason: noAnswer } : examined;
  } catch (error) {
    kernel.log.warn({ err: error, company: record.id }, 'database test failed');
    const code = isStrongroomError(error) ? error.code : '';
    const identity = code === 'identity_mismatch' ? 'mismatch' : 'unknown';
    verdict = { ok: false, identity, reason: reasons[code] ?? noAnswer };
  }
  return {
    ...verdict,
    placement: record.placement.kind,
    latency_ms: Math.round((performance.now() - started) * 1_000) / 1_000,
    schema_version: record.schemaVersion,
  };
}

async function examine(kernel: Kernel, record: TenantRecord): Promise<Verdict> {
  const state = await kernel.tenants.inspect(record.id);
  if (!state.exists) return { ok: false, identity: 'unknown', reason: reasons.database_missing! };
  if (state.identity === null) {
    return { ok: false, identity: 'unknown', reason: 'The database does not say whose it is.' };
  }
  const { tenantId, generation } = state.identity;
  if (tenantId !== record.id || generation !== record.placement.generation) {
    return { ok: false, identity: 'mismatch', reason: reasons.identity_mismatch! };
  }
  // The way that requests take, too: a pool that is exhausted or broken shows here.
  const tenant = kernel.tenants.openAny(record, { kind: 'system' });
  await tenant.db.read.selectNoFrom((of) => of.val(1).as('one')).execute();
  return { ok: true, identity: 'match' };
}
