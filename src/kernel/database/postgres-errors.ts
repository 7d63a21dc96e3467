/**
 * What PostgreSQL and its driver report, as the product's errors: by SQLSTATE, never by message. Texts for callers carry
 * neither SQL nor hosts; those travel as `cause`. Constraint violations stay as the driver throws them, recognisable
 * through `unique-violation.ts`.
 */
import { isStrongroomError, StrongroomError, unavailable } from '../errors.ts';

/** The SQLSTATE of an error of the server, or the system's code (`ECONNREFUSED`) of a connection that broke. */
export function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

const fiveDigits = /^[0-9A-Z]{5}$/;
const defaultUnreachable = 'database_unreachable';

/** Whether the connection is gone: an error without SQLSTATE comes from the socket or the driver. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof StrongroomError) return error.cause !== undefined && isConnectionLost(error.cause);
  const code = sqlState(error);
  return code === undefined || !fiveDigits.test(code) || code.startsWith('08') || code.startsWith('57P');
}

const down = (cause: unknown, unreachable: string, retryAfter = 5) =>
  unavailable(unreachable, 'The database does not answer.', retryAfter, cause);

/** A statement prepared before a migration changed its table: must be prepared again. */
export function isOutdatedPlan(error: unknown): boolean {
  return sqlState(error) === '0A000' && (error as { routine?: unknown }).routine === 'RevalidateCachedQuery';
}

/** The whole transaction may be tried again: it lost against another one, and has changed nothing. */
export function isTransactionConflict(error: unknown): boolean {
  return isStrongroomError(error) && error.code === 'transaction_conflict';
}

export function transactionConflict(cause: unknown): StrongroomError {
  return unavailable('transaction_conflict', 'Another change came first. Try again.', 1, cause);
}

/** Turns what a statement threw into what the product throws. `unreachable`: the code for a server that is not there. */
export function postgresError(error: unknown, unreachable = defaultUnreachable): unknown {
  if (error instanceof StrongroomError) return error;
  if (isConnectionLost(error)) return down(error, unreachable);
  const code = sqlState(error);
  switch (code) {
    case '53100':
      return new StrongroomError('no_space', 'disk_full', 'There is no space left to store this.', {
        retryAfter: 60,
        cause: error,
      });
    case '53200':
    case '53300':
    case '53400':
      return unavailable('database_busy', 'The database is busy. Try again.', 1, error);
    case '3D000':
    case '3F000':
      return unavailable('database_missing', 'The database is not there.', 30, error);
    case '40001':
    case '40P01':
      return transactionConflict(error);
    case '55P03':
      return unavailable('database_busy', 'The database is busy. Try again.', 1, error);
    case '57014':
      return unavailable('statement_timeout', 'The database took too long.', 1, error);
    case '25P02':
    case '25P03':
      return unavailable('transaction_lost', 'The change was not made. Try again.', 1, error);
    case '42501':
    case '25006':
      return new StrongroomError('internal', 'statement_refused', 'This statement is not allowed here.', {
        cause: error,
      });
    case '58030':
    case 'XX001':
    case 'XX002':
      return unavailable('database_unreadable', 'The database cannot be read.', 30, error);
    default:
      return error;
  }
}

/** Turns what opening a connection threw into what the product throws: nothing but "not there" and "does not answer". */
export function connectError(error: unknown): unknown {
  const mapped = postgresError(error);
  if (isStrongroomError(mapped, 'unavailable')) return mapped;
  // A login that was locked, a wrong password, a database that is closed to connections: for an operator to mend.
  return down(error, defaultUnreachable, 30);
}
