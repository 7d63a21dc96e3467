/**
 * What a SQLite thread reports, as the product's errors. Texts for callers carry neither SQL nor paths; those travel as
 * `cause`. Constraint violations stay recognisable through `unique-violation.ts`.
 */
import { StrongroomError, unavailable } from '../errors.ts';
import type { WireError } from './sqlite-protocol.ts';

/** An error of a statement itself: a constraint, a wrong name, a wrong type. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  /** Extended result code of SQLite; 0 where it was not SQLite. */
  readonly errcode: number;
  constructor(message: string, errcode: number) {
    super(message);
    this.errcode = errcode;
  }
}

const primary = {
  perm: 3,
  busy: 5,
  locked: 6,
  readonly: 8,
  ioerr: 10,
  corrupt: 11,
  full: 13,
  cantopen: 14,
  auth: 23,
  notadb: 26,
};

/** A company's database did not answer; `cause` has what happened. */
function databaseDown(code: string, message: string, cause: Error, retryAfter = 5): StrongroomError {
  return unavailable(code, message, retryAfter, cause);
}

export function sqliteError(wire: WireError): Error {
  const cause = new StatementError(wire.message, wire.errcode);
  switch (wire.code) {
    case 'missing':
      return databaseDown('database_missing', 'The database is not there.', cause, 30);
    case 'unreadable':
      return databaseDown('database_unreadable', 'The database cannot be read.', cause, 30);
    case 'identity':
      return databaseDown('identity_mismatch', 'The database is not the one that belongs here.', cause, 30);
    case 'no_transaction':
      return databaseDown('transaction_lost', 'The change was not made. Try again.', cause, 1);
    case 'other':
      return cause;
    case 'sqlite':
      return resultCodeError(wire.errcode & 0xff, cause);
  }
}

function resultCodeError(code: number, cause: StatementError): Error {
  switch (code) {
    case primary.full:
      return new StrongroomError('no_space', 'disk_full', 'There is no space left to store this.', {
        retryAfter: 60,
        cause,
      });
    case primary.busy:
    case primary.locked:
      return databaseDown('database_busy', 'The database is busy. Try again.', cause, 1);
    case primary.corrupt:
    case primary.notadb:
    case primary.ioerr:
      return databaseDown('database_unreadable', 'The database cannot be read.', cause, 30);
    case primary.cantopen:
      return databaseDown('database_unreachable', 'The database cannot be opened now.', cause);
    case primary.auth:
    case primary.perm:
    case primary.readonly:
      return new StrongroomError('forbidden', 'statement_refused', 'This statement is not allowed here.', { cause });
    default:
      return cause;
  }
}
