/**
 * Refusals by the HTTP layer itself, which have status numbers and codes of their own. Everything behind the HTTP
 * layer throws `StrongroomError` and knows no status.
 */
import type { FieldError } from '../kernel/errors.ts';

export interface RefusalOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly fields?: readonly FieldError[];
  readonly cause?: unknown;
}

/** What the HTTP layer throws when a request is refused before, or beside, its handler. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly fields: readonly FieldError[] | undefined;

  constructor(status: number, code: string, message: string, options: RefusalOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.headers = options.headers ?? {};
    this.fields = options.fields;
  }
}

/** 400: what arrived cannot be parsed. */
export function malformed(message: string, code = 'malformed_request'): Refusal {
  return new Refusal(400, code, message);
}

/** 413: more bytes than are taken here. */
export function tooLarge(message: string, code = 'body_too_large'): Refusal {
  return new Refusal(413, code, message);
}

/** 415: a form of body that is not taken here. */
export function unsupportedMedia(message: string): Refusal {
  return new Refusal(415, 'unsupported_media_type', message);
}

/** 422: parsed, but one field breaks a rule. */
export function unprocessable(path: string, message: string, code = 'invalid'): Refusal {
  return new Refusal(422, code, 'The request breaks a rule.', { fields: [{ path, message }] });
}

/** 404 for a path that is none of ours; the same for a route that is not served where it was asked for. */
export function unknownPath(): Refusal {
  return new Refusal(404, 'not_found', 'There is no such path.');
}
