/** Who acts on documents, from where, and how what they did is written down. */
import type { AuditEntry } from '../../../kernel/audit/audit.ts';
import type { TenantTx } from '../../../kernel/database/database.ts';
import { forbidden } from '../../../kernel/errors.ts';
import type { EventPayloads, EventType } from '../../../kernel/events.ts';
import type { Actor, MemberCaller, Tenant } from '../../../kernel/handles.ts';
import { newId } from '../../../kernel/ids.ts';
import type { Kernel } from '../../../kernel/kernel.ts';
import { insertHistories, insertHistory } from '../repository/shares.ts';
import { together } from '../repository/together.ts';
import { type Viewer, viewerOf } from '../visibility.ts';
import '../tables.ts';

/** What the documents' services need of the kernel. */
export type Parts = Pick<Kernel, 'audit' | 'events' | 'jobs' | 'config' | 'secrets'>;

/** A signed-in person of a company, with the company's handle. */
export interface Acting {
  readonly tenant: Tenant;
  readonly viewer: Viewer;
  readonly fullName: string;
  readonly source: NonNullable<AuditEntry['source']>;
}

export function actingOf(caller: MemberCaller, source: Acting['source'] = {}): Acting {
  const { tenant, user } = caller;
  return { tenant, viewer: viewerOf(tenant, user), fullName: user.fullName, source };
}

/** @throws forbidden where this role uploads only into baskets shared with it for writing */
export function requireUploader(viewer: Viewer): void {
  if (viewer.definition.permissions.includes('UPLOAD_DOCUMENTS')) return;
  throw forbidden('Your role uploads only into a basket that is shared with you for writing: give its basket_id.');
}

type Details = NonNullable<AuditEntry['details']>;

export interface Fact<T extends EventType = EventType> {
  /** Also the name of the event and of the row in the audit trail: `document.created`. */
  readonly action: T;
  readonly documentId: string;
  readonly payload: EventPayloads[T];
  readonly details?: Details;
}

function actorId(actor: Actor): string {
  return actor.kind === 'user' || actor.kind === 'operator' ? actor.id : actor.kind;
}

/** History of the document, audit trail and event, in the acting transaction. */
export async function writeDown<T extends EventType>(
  parts: Parts,
  tx: TenantTx,
  { tenant, source }: Pick<Acting, 'tenant' | 'source'>,
  fact: Fact<T>,
): Promise<void> {
  const entry = historyOf(tenant, fact);
  await together(tx, [
    // A purged document takes its history along; that it was purged stands in the audit trail.
    async () => fact.action !== 'document.purged' && insertHistory(tx, entry),
    () => audit(parts, tx, { tenant, source }, fact.action, fact.documentId, fact.details),
    () => parts.events.record(tx, tenant, fact.action, fact.payload),
  ]);
}

/** As many facts in this order, in few statements. Not for what is purged, whose history goes with it. */
export async function writeAllDown(
  parts: Parts,
  tx: TenantTx,
  { tenant, source }: Pick<Acting, 'tenant' | 'source'>,
  facts: readonly Fact[],
): Promise<void> {
  const history = facts.map((fact) => historyOf(tenant, fact));
  const entries = facts.map((fact) => entryOf(tenant, source, fact.action, fact.documentId, fact.details));
  const events = facts.map(({ action, payload }) => ({ type: action, payload }));
  await insertHistories(tx, history);
  await parts.audit.recordAll(tx, tenant, entries);
  await parts.events.recordAll(tx, tenant, events);
}

function historyOf(tenant: Tenant, fact: Fact) {
  const now = tenant.clock.now();
  return {
    id: newId('history', now),
    document_id: fact.documentId,
    at: new Date(now).toISOString(),
    action: fact.action.slice(fact.action.indexOf('.') + 1),
    actor_id: actorId(tenant.actor),
    details: JSON.stringify(fact.details ?? {}),
  };
}

function entryOf(
  { actor }: Tenant,
  source: Acting['source'],
  action: string,
  target: string | null,
  details: Details | undefined,
): AuditEntry {
  return { action, actor, target, outcome: 'success', source, ...(details === undefined ? {} : { details }) };
}

/** The audit trail alone: what concerns baskets and settings. */
export async function audit(
  parts: Parts,
  tx: TenantTx,
  { tenant, source }: Pick<Acting, 'tenant' | 'source'>,
  action: string,
  target: string | null,
  details?: Details,
): Promise<void> {
  await parts.audit.record(tx, tenant, entryOf(tenant, source, action, target, details));
}
