/**
 * Events: facts recorded in the transaction that made them true, delivered to listeners of later modules after the
 * commit, at least once, in order per tenant. Listeners are idempotent by event id.
 */
import type { TenantTx } from './database/database.ts';
import type { Actor, Tenant } from './handles.ts';

/** Every event and its payload, by declaration merging in a module's `contract.ts` or `tables.ts`. */
// biome-ignore lint/suspicious/noEmptyInterface: filled by declaration merging
export interface EventPayloads {}
export type EventType = keyof EventPayloads & string;

export interface TenantEvent<T extends EventType = EventType> {
  readonly id: string;
  readonly type: T;
  readonly at: string;
  readonly actor: Actor;
  readonly payload: EventPayloads[T];
}

export interface Events {
  /** Records an event in this transaction and marks the tenant as having work. Returns the event's id. */
  record<T extends EventType>(
    tx: TenantTx,
    tenant: Pick<Tenant, 'actor' | 'clock'>,
    type: T,
    payload: EventPayloads[T],
  ): Promise<string>;
  /** As many calls of `record` in this order, in few statements. */
  recordAll(tx: TenantTx, tenant: Pick<Tenant, 'actor' | 'clock'>, events: readonly NewEvent[]): Promise<void>;
}

/** An event to be recorded; its payload is the one of its type. */
export interface NewEvent {
  readonly type: EventType;
  readonly payload: EventPayloads[EventType];
}

export type Listeners = {
  readonly [T in EventType]?: (tenant: Tenant, event: TenantEvent<T>) => Promise<void>;
};
