/**
 * How a SQLite file is opened, and what SQL may do there. Runs inside a SQLite thread.
 *
 * Promises: nothing is created by opening; a file that is missing, empty or no database of ours is refused; attach
 * limit 0, no extensions, defensive mode; `read` cannot write (the file is open read-only, and the authorizer refuses);
 * `write` changes rows only: no structure, no identity, no ledger, no transaction control; durable commits.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { constants, DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import type { OpenRequest, SqlitePurpose, WireError } from './sqlite-protocol.ts';

/** `Strm`: the application id in the header of every database file that the product makes. */
export const applicationId = 0x5374726d;
const headerText = 'SQLite format 3\0';

/** A refusal by the thread itself. */
export class WallError extends Error {
  override readonly name = 'WallError';
  readonly code: WireError['code'];
  constructor(code: WireError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Reads the header without SQLite, which takes an empty file for an empty database. */
function checkHeader(path: string): void {
  const header = Buffer.alloc(100);
  let length = 0;
  try {
    const file = openSync(path, 'r');
    try {
      length = readSync(file, header, 0, 100, 0);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new WallError('missing', 'there is no file');
    throw new WallError('unreadable', `the file cannot be read: ${code}`);
  }
  if (length < 100 || header.toString('latin1', 0, 16) !== headerText) {
    throw new WallError('unreadable', 'the file is not a database');
  }
  if (header.readUInt32BE(68) !== applicationId) throw new WallError('unreadable', 'the file is not ours');
}

/** Pragmas that only tell something; the value says whether an argument is allowed. */
const harmlessPragmas = new Map<string, boolean>([
  ['table_info', true],
  ['table_xinfo', true],
  ['table_list', true],
  ['index_list', true],
  ['index_info', true],
  ['index_xinfo', true],
  ['foreign_key_list', true],
  ['page_count', false],
  ['page_size', false],
  ['freelist_count', false],
  ['data_version', false],
  ['user_version', false],
  ['quick_check', true],
  ['integrity_check', true],
  ['foreign_key_check', true],
]);
const forbiddenFunctions = new Set(['load_extension', 'fts3_tokenizer', 'readfile', 'writefile', 'edit']);
const kernelTables = new Set(['identity', 'migrations', 'sqlite_master', 'sqlite_schema', 'sqlite_sequence']);
const c = constants;

type Authorizer = Parameters<DatabaseSync['setAuthorizer']>[0];

/** What SQL of this purpose may do. `trusted()` is true while the thread itself prepares a statement. */
function authorizerFor(purpose: 'read' | 'write' | 'migrate', trusted: () => boolean): Authorizer {
  const rows = new Set<number>([c.SQLITE_INSERT, c.SQLITE_UPDATE, c.SQLITE_DELETE]);
  const always = new Set<number>([c.SQLITE_SELECT, c.SQLITE_READ, c.SQLITE_RECURSIVE]);
  return (action, first, second) => {
    if (always.has(action) || trusted()) return c.SQLITE_OK;
    if (action === c.SQLITE_ATTACH || action === c.SQLITE_DETACH) return c.SQLITE_DENY;
    if (action === c.SQLITE_FUNCTION) return forbiddenFunctions.has(second ?? '') ? c.SQLITE_DENY : c.SQLITE_OK;
    if (action === c.SQLITE_PRAGMA) {
      const argument = harmlessPragmas.get((first ?? '').toLowerCase());
      if (argument === undefined || (second !== null && !argument)) return c.SQLITE_DENY;
      return c.SQLITE_OK;
    }
    if (action === c.SQLITE_TRANSACTION || action === c.SQLITE_SAVEPOINT) return c.SQLITE_DENY;
    if (purpose === 'migrate') return c.SQLITE_OK;
    if (purpose === 'write' && rows.has(action) && !kernelTables.has((first ?? '').toLowerCase())) return c.SQLITE_OK;
    return c.SQLITE_DENY;
  };
}

export interface WalledDatabase {
  readonly db: DatabaseSync;
  /** Runs `work` with the authorizer open: for BEGIN, COMMIT and the like of the thread itself. */
  trusted<T>(work: () => T): T;
}

/** Opens a file behind the walls of its purpose. @throws WallError, or the error of SQLite */
export function openWalled(request: OpenRequest): WalledDatabase {
  const { path, purpose } = request;
  if (!request.create) checkHeader(path);
  const url = pathToFileURL(path);
  url.search = `?mode=${purpose === 'read' ? 'ro' : request.create ? 'rwc' : 'rw'}`;
  const db = new DatabaseSync(url, optionsFor(purpose));
  try {
    return raiseWalls(db, request);
  } catch (error) {
    db.close();
    throw error;
  }
}

function optionsFor(purpose: SqlitePurpose): DatabaseSyncOptions {
  const options: DatabaseSyncOptions = {
    readOnly: purpose === 'read',
    allowExtension: false,
    enableForeignKeyConstraints: true,
    enableDoubleQuotedStringLiterals: false,
    // Short on purpose: a wait here stops the whole thread. The main side tries again instead.
    timeout: 20,
    defensive: true,
  };
  return purpose === 'maintain' ? options : { ...options, limits: { attach: 0 } };
}

function raiseWalls(db: DatabaseSync, request: OpenRequest): WalledDatabase {
  const { purpose } = request;
  if (request.create) db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA journal_mode = WAL`);
  db.exec('PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
  // A REPLACE removes rows without a word to the triggers that guard them, but for this.
  db.exec('PRAGMA recursive_triggers = ON');
  // Hundreds of connections may be open: the pages stay in the system's cache, a connection keeps the few in use.
  db.exec(`PRAGMA cache_size = -${request.cacheKiB ?? 512}; PRAGMA journal_size_limit = ${16 * 1024 * 1024}`);
  if (purpose === 'read') db.exec('PRAGMA query_only = ON');
  if (request.identity !== undefined) checkIdentity(db, request.identity);
  let open = false;
  if (purpose !== 'maintain') {
    db.enableDefensive(true);
    db.setAuthorizer(authorizerFor(purpose, () => open));
  }
  return {
    db,
    trusted(work) {
      open = true;
      try {
        return work();
      } finally {
        open = false;
      }
    },
  };
}

function checkIdentity(db: DatabaseSync, expected: { tenantId: string; generation: number }): void {
  let rows: unknown[];
  try {
    rows = db.prepare('SELECT tenant_id, generation FROM identity').all();
  } catch (error) {
    if (error instanceof Error && error.message.includes('no such table')) {
      throw new WallError('identity', 'there is no identity table');
    }
    throw error;
  }
  const row = rows[0] as { tenant_id: string; generation: number } | undefined;
  if (row === undefined || rows.length !== 1) throw new WallError('identity', `${rows.length} identity rows`);
  if (row.tenant_id !== expected.tenantId || row.generation !== expected.generation) {
    throw new WallError('identity', `found ${row.tenant_id} generation ${row.generation}`);
  }
}
