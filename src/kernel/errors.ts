/**
 * The one error class of the product and its closed list of kinds.
 *
 * A module chooses kind and code; only `server/` knows status numbers. Texts are written for the caller: they never
 * carry SQL, paths, hosts or the message of a driver (those travel as `cause`, for the log alone).
 */

export const errorKinds = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'gone',
  'too_large',
  'limited',
  'unsupported',
  'precondition',
  'range',
  'no_space',
  'unavailable',
  'internal',
] as const;

export type ErrorKind = (typeof errorKinds)[number];

/** One field that breaks a rule: `path` in dotted form (`admin.email`), `message` for a person. */
export interface FieldError {
  readonly path: string;
  readonly message: string;
}

export interface ErrorOptions {
  /** Fields that break a rule; only with kind `invalid`. */
  readonly fields?: readonly FieldError[];
  /** Seconds after which trying again makes sense; becomes the header Retry-After. */
  readonly retryAfter?: number;
  /** Further safe members of the answer, as `document_id` beside `filename_taken`. */
  readonly extra?: Readonly<Record<string, string | number | boolean | null>>;
  /** What really happened, for the log alone. */
  readonly cause?: unknown;
}

/** What any part of the product throws when it refuses or fails. `code` is stable and snake_case. */
export class StrongroomError extends Error {
  override readonly name = 'StrongroomError';
  readonly kind: ErrorKind;
  readonly code: string;
  readonly fields: readonly FieldError[] | undefined;
  readonly retryAfter: number | undefined;
  readonly extra: ErrorOptions['extra'];

  constructor(kind: ErrorKind, code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.code = code;
    this.fields = options.fields;
    this.retryAfter = options.retryAfter;
    this.extra = options.extra;
  }
}

/** A value breaks a rule (422). `fields` names which. */
export function invalid(message: string, fields: readonly FieldError[] = [], code = 'invalid'): StrongroomError {
  return new StrongroomError('invalid', code, message, { fields });
}

/** One field breaks a rule (422). */
export function invalidField(path: string, message: string, code = 'invalid'): StrongroomError {
  return new StrongroomError('invalid', code, message, { fields: [{ path, message }] });
}

/** Unknown, malformed, of another company, or not visible to the caller: all alike (404). */
export function notFound(message = 'There is nothing here that you may see.'): StrongroomError {
  return new StrongroomError('not_found', 'not_found', message);
}

/** Known caller, visible object, not allowed (403). */
export function forbidden(message: string, code = 'forbidden'): StrongroomError {
  return new StrongroomError('forbidden', code, message);
}

/** No valid credential (401). */
export function unauthenticated(
  message = 'Sign in, and send a valid access token.',
  code = 'unauthenticated',
): StrongroomError {
  return new StrongroomError('unauthenticated', code, message);
}

/** The state of the thing forbids it (409). */
export function conflict(code: string, message: string, extra?: ErrorOptions['extra']): StrongroomError {
  return new StrongroomError('conflict', code, message, extra === undefined ? {} : { extra });
}

/** A dependency does not answer now (503). `cause` is logged, never shown. */
export function unavailable(code: string, message: string, retryAfter = 5, cause?: unknown): StrongroomError {
  return new StrongroomError('unavailable', code, message, { retryAfter, cause });
}

/** True for an error of this class and, where given, of this kind. */
export function isStrongroomError(error: unknown, kind?: ErrorKind): error is StrongroomError {
  return error instanceof StrongroomError && (kind === undefined || error.kind === kind);
}
