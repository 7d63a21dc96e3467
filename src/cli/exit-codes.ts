/**
 * Exit codes, by kind of error: what a script may branch on. Part of the command line's contract; the table in
 * docs/reference/command-line.md is made from it.
 */
import type { ErrorKind } from '../kernel/errors.ts';

export const exitCodes = {
  ok: 0,
  failed: 1,
  invalid: 2,
  unauthenticated: 3,
  forbidden: 4,
  notFound: 5,
  conflict: 6,
  refused: 7,
  limited: 8,
  unavailable: 9,
  partial: 10,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** What each code means, for the reference. */
export const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: 'done',
  failed: 'an unexpected failure; or what was checked is not as it should be (`audit verify`, `doctor`, `demo`)',
  invalid: 'wrong usage, configuration or input',
  unauthenticated: 'wrong credentials, or none',
  forbidden: 'not allowed',
  notFound: 'there is no such thing, or it is gone',
  conflict: 'the state of the thing forbids it (a name is taken, a company still has users)',
  refused: 'too large, of the wrong type, or no space left',
  limited: 'too many tries; wait',
  unavailable: 'the server, the database or the data folder does not answer now',
  partial: 'some of many succeeded, others failed (`users import`, `migrate`)',
  interrupted: 'ended by the user',
};

const byKind: Readonly<Record<ErrorKind, ExitCode>> = {
  invalid: exitCodes.invalid,
  unauthenticated: exitCodes.unauthenticated,
  forbidden: exitCodes.forbidden,
  not_found: exitCodes.notFound,
  gone: exitCodes.notFound,
  conflict: exitCodes.conflict,
  precondition: exitCodes.conflict,
  too_large: exitCodes.refused,
  range: exitCodes.refused,
  unsupported: exitCodes.refused,
  no_space: exitCodes.refused,
  limited: exitCodes.limited,
  unavailable: exitCodes.unavailable,
  internal: exitCodes.failed,
};

export function exitCodeOfKind(kind: ErrorKind): ExitCode {
  return byKind[kind];
}

const byStatus: Readonly<Record<number, ExitCode>> = {
  400: exitCodes.invalid,
  422: exitCodes.invalid,
  401: exitCodes.unauthenticated,
  403: exitCodes.forbidden,
  404: exitCodes.notFound,
  410: exitCodes.notFound,
  409: exitCodes.conflict,
  412: exitCodes.conflict,
  428: exitCodes.conflict,
  408: exitCodes.unavailable,
  413: exitCodes.refused,
  415: exitCodes.refused,
  416: exitCodes.refused,
  507: exitCodes.refused,
  429: exitCodes.limited,
  502: exitCodes.unavailable,
  503: exitCodes.unavailable,
  504: exitCodes.unavailable,
};

export function exitCodeOfStatus(status: number): ExitCode {
  return byStatus[status] ?? (status >= 400 && status < 500 ? exitCodes.invalid : exitCodes.failed);
}
