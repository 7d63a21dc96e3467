/** Metrics for Prometheus. One registry per server, so that several can live in one process. */
import { timingSafeEqual } from 'node:crypto';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { forbidden, unauthenticated } from '../kernel/errors.ts';
import type { Caller } from '../kernel/handles.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { RequestInfo } from '../kernel/module.ts';

export interface Metrics {
  observe(method: string, route: string, status: number, seconds: number): void;
  text(): Promise<string>;
}

type Measured = Pick<Kernel, 'connections' | 'tenants'>;

/** How long work waits for a password hash; given by the accounts module. */
export interface HashQueue {
  readonly running: number;
  readonly waiting: number;
}

export function createMetrics(kernel: Measured, hashQueue?: () => HashQueue): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'strongroom_' });
  const durations = new Histogram({
    name: 'strongroom_http_request_duration_seconds',
    help: 'Time from the request to the end of its answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [registry],
  });
  const { connections } = kernel;
  gauge(registry, 'connections_open', 'Open connections to tenant databases.', () => connections.open);
  gauge(registry, 'connections_budget', 'Connections that may be open at once.', () => connections.budget);
  gauge(registry, 'connections_waiting', 'Requests that wait for a connection.', () => connections.waiting);
  if (hashQueue !== undefined) {
    gauge(registry, 'password_hashes_running', 'Password hashes being computed.', () => hashQueue().running);
    gauge(registry, 'password_hashes_waiting', 'Sign-ins that wait for a hash.', () => hashQueue().waiting);
  }
  new Gauge({
    name: 'strongroom_companies',
    help: 'Companies by status.',
    labelNames: ['status'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const [status, count] of Object.entries(await kernel.tenants.countByState())) this.set({ status }, count);
    },
  });
  // Looking up a labelled child costs more than observing it; there are few, so they are kept.
  const children = new Map<string, ReturnType<typeof durations.labels>>();
  return {
    observe(method, route, status, seconds) {
      const key = `${method} ${route} ${status}`;
      let child = children.get(key);
      if (child === undefined) {
        child = durations.labels(method, route, String(status));
        children.set(key, child);
      }
      child.observe(seconds);
    },
    text: () => registry.metrics(),
  };
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name: `strongroom_${name}`,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}

const forwarding = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];
const sameHost = new Set(['127.0.0.1', '::1', 'local']);

/** Who may read metrics: the holder of the token, an operator, or without a token the same host, not through a proxy. */
export function allowMetrics(token: string | null, caller: Caller, request: RequestInfo): void {
  if (caller.kind === 'operator' || caller.kind === 'host') return;
  if (token !== null) {
    const sent = /^Bearer (.+)$/i.exec(request.header('authorization') ?? '')?.[1] ?? '';
    if (!equal(sent, token)) throw unauthenticated('Send the metrics token.', 'invalid_token');
    return;
  }
  const direct = forwarding.every((name) => request.header(name) === undefined);
  if (!direct || !sameHost.has(request.ip)) throw forbidden('Metrics are for callers on the same host.');
}

function equal(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
