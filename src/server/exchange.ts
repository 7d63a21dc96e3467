/** What the transport knows of a request before any route does: its id, and whether it came over the host's socket. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface Exchange {
  readonly id: string;
  /** Came over the data folder's own socket, which only the folder's owner can open. */
  readonly viaHost: boolean;
  readonly startedAt: number;
  /** The path as the contract writes it, for metrics; `(none)` while no route is known. */
  route: string;
}

const known = new WeakMap<IncomingMessage, Exchange>();

/** Begins an exchange: takes the client's request id where it is well-formed, else makes one. */
export function beginExchange(request: IncomingMessage, viaHost: boolean): Exchange {
  const wanted = request.headers['x-request-id'];
  const id = typeof wanted === 'string' && /^[A-Za-z0-9_-]{8,64}$/.test(wanted) ? wanted : newRequestId();
  const exchange: Exchange = { id, viaHost, startedAt: performance.now(), route: '(none)' };
  known.set(request, exchange);
  return exchange;
}

/** The exchange of a request; begun here where none was (requests injected without a socket). */
export function exchangeOf(request: IncomingMessage): Exchange {
  return known.get(request) ?? beginExchange(request, false);
}

// Unique in the process by the number, in the fleet by the prefix; cheaper than random bytes for each request.
const prefix = randomBytes(9).toString('base64url');
let number = 0;

export function newRequestId(): string {
  number += 1;
  return `${prefix}-${number.toString(36).padStart(6, '0')}`;
}

/** Whether nobody is there any more to be answered. A pipelined answer whose turn has not come has no socket yet. */
export function isGone(response: ServerResponse): boolean {
  return response.destroyed || response.req.socket.destroyed;
}
