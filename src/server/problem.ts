/**
 * Problem documents (RFC 9457): the one form in which every refusal is answered, also those that Node's parser makes.
 *
 * Guarantees: `type` is a stable relative URI made from the code; nothing of an unexpected error leaves the process
 * but the request's id; the list of fields is cut at 50.
 */
import { STATUS_CODES } from 'node:http';
import { type ErrorKind, type FieldError, StrongroomError } from '../kernel/errors.ts';
import { Refusal } from './refusal.ts';

export const problemType = 'application/problem+json';

/** Status of each kind of error: the only place where the two meet. */
export const statusOfKind: Readonly<Record<ErrorKind, number>> = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  too_large: 413,
  limited: 429,
  unsupported: 415,
  precondition: 412,
  range: 416,
  no_space: 507,
  unavailable: 503,
  internal: 500,
};

const reserved = new Set(['type', 'title', 'status', 'detail', 'code', 'instance', 'errors']);
const maxFields = 50;

export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The document as JSON. */
  readonly body: string;
  /** True where the error was not a refusal but a fault, which belongs in the log. */
  readonly fault: boolean;
}

interface Facts {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fields?: readonly FieldError[] | undefined;
  readonly extra?: StrongroomError['extra'];
}

/** The document of a problem, as JSON. `instance` is the request's id. */
export function problemDocument(facts: Facts, instance: string): string {
  const document: Record<string, unknown> = {
    type: `/problems/${facts.code}`,
    title: STATUS_CODES[facts.status] ?? 'Refused',
    status: facts.status,
    detail: facts.detail,
    code: facts.code,
    instance,
  };
  if (facts.status === 422) {
    document.errors = (facts.fields ?? []).slice(0, maxFields).map(({ path, message }) => ({ path, message }));
  }
  for (const [name, value] of Object.entries(facts.extra ?? {})) if (!reserved.has(name)) document[name] = value;
  return JSON.stringify(document);
}

/** How any thrown thing is answered. */
export function problemOf(error: unknown, instance: string): ProblemAnswer {
  if (error instanceof Refusal) {
    const { status, code, message, fields, headers } = error;
    return {
      status,
      headers,
      body: problemDocument({ status, code, detail: message, fields }, instance),
      fault: false,
    };
  }
  if (error instanceof StrongroomError) return ofStrongroomError(error, instance);
  const facts = { status: 500, code: 'internal', detail: 'Something went wrong. The request id names it in the log.' };
  return { status: 500, headers: {}, body: problemDocument(facts, instance), fault: true };
}

function ofStrongroomError(error: StrongroomError, instance: string): ProblemAnswer {
  const { kind, code, message, fields, extra, retryAfter } = error;
  const status = kind === 'invalid' && code.startsWith('malformed') ? 400 : statusOfKind[kind];
  const headers: Record<string, string> = {};
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, Math.ceil(retryAfter)));
  else if (kind === 'unavailable') headers['retry-after'] = '5';
  // RFC 9110, 15.5.17: how long what was asked for is.
  if (kind === 'range' && typeof extra?.size === 'number') headers['content-range'] = `bytes */${extra.size}`;
  if (kind === 'unauthenticated') headers['www-authenticate'] = challenge(code);
  const detail = kind === 'internal' ? 'Something went wrong. The request id names it in the log.' : message;
  const body = problemDocument({ status, code, detail, fields, extra }, instance);
  return { status, headers, body, fault: status === 500 || (status === 503 && error.cause !== undefined) };
}

/** The challenge of a 401 (RFC 6750): says `invalid_token` where a token was sent. */
export function challenge(code: string): string {
  return code === 'unauthenticated' ? 'Bearer realm="strongroom"' : 'Bearer realm="strongroom", error="invalid_token"';
}
