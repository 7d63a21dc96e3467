/**
 * Migrations within the caller's transaction, and what they send, remembered: the same statements bring another schema
 * in the same state to the same structure, in one message.
 */
import type { Clock } from '../clock.ts';
import { fingerprintOf, postgresStructure, relationsThatDiffer } from '../database/fingerprint.ts';
import type { TenantMigration } from '../database/migration.ts';
import { applyMigrations, type ModuleMigrations } from '../database/migrator.ts';
import { postgresDialect } from '../database/postgres-dialect.ts';
import type { PostgresSession } from '../database/postgres-session.ts';
import { kyselyOver } from '../database/session.ts';
import type { TenantTables } from '../database/tables.ts';

/** What brings a schema with a certain ledger to the head. */
export interface Recipe {
  /** Of the migrations, in order; the ledger's rows are not among them. */
  readonly statements: readonly string[];
  /** Names of the migrations, `module/name`. */
  readonly applied: readonly string[];
  /** All tables that are there then; null where the migrations made and removed none. */
  readonly tables: readonly string[] | null;
  /** Of what is there then. */
  readonly fingerprint: string;
  /** Names of the tables and views of which something changed. */
  readonly touched: readonly string[];
}

/** By it a recipe is found. */
export const ledgerKey = (names: Iterable<string>): string => [...names].toSorted().join();

/** Applies what is missing in the caller's transaction, remembering it; `present` is its ledger, where that is known. */
export async function applyRecorded(
  parts: { readonly migrations: readonly ModuleMigrations<TenantMigration>[]; readonly clock: Clock },
  session: PostgresSession,
  present?: readonly string[],
): Promise<Pick<Recipe, 'applied' | 'fingerprint' | 'touched'> & { readonly recorded: Recorded }> {
  const { session: remembering, recorded } = recording(session);
  const db = kyselyOver<TenantTables>(postgresDialect, (query) => session.execute(query));
  const before = await postgresStructure(db);
  const applied = await applyMigrations<TenantTables>({
    session: remembering,
    grammar: postgresDialect,
    list: parts.migrations,
    clock: parts.clock,
    ...(present === undefined ? {} : { present: new Set(present) }),
  });
  const after = await postgresStructure(db);
  return { applied, fingerprint: fingerprintOf(after), touched: relationsThatDiffer(before, after), recorded };
}

/** The session within the caller's transaction. */
function within(session: PostgresSession): PostgresSession {
  const passed = () => Promise.resolve();
  return {
    ...session,
    get usable() {
      return session.usable;
    },
    begin: passed,
    commit: passed,
    rollback: passed,
  };
}

interface Recorded {
  /** All that changed structure or rows; undefined where it cannot be said in one text. */
  text(): string | undefined;
  /**
   * The same without the ledger, for schemas in which a company's rows are: undefined where the migrations looked at
   * rows or changed any that were there, because each company's then decide.
   */
  changes(): readonly string[] | undefined;
}

const ledgerRow = /^\s*insert into "?migrations"? /i;
const sameEverywhere = /^\s*(?:(?:create|alter|drop|comment)\b|insert into\b(?!.*\b(?:select|returning)\b))/is;

function withoutLedger(statements: readonly string[]): readonly string[] | undefined {
  const changes = statements.filter((statement) => !ledgerRow.test(statement));
  return changes.every((statement) => sameEverywhere.test(statement)) ? changes : undefined;
}

/** A session within the caller's transaction that remembers what changes the structure or adds rows. */
function recording(session: PostgresSession): { session: PostgresSession; recorded: Recorded } {
  const statements: string[] = [];
  let replayable = true;
  return {
    session: {
      ...within(session),
      get usable() {
        return session.usable;
      },
      async execute<R>(query: Parameters<PostgresSession['execute']>[0]) {
        const result = await session.execute<R>(query);
        const inlined = inline(query.sql, query.parameters);
        if (inlined === undefined) replayable = false;
        else statements.push(inlined);
        return result;
      },
    },
    recorded: {
      text: () => (replayable ? statements.filter((one) => !/^\s*select\b/i.test(one)).join(';\n') : undefined),
      changes: () => (replayable ? withoutLedger(statements) : undefined),
    },
  };
}

/** The statement with its parameters as literals; undefined where one is no plain text or number. */
function inline(text: string, parameters: readonly unknown[]): string | undefined {
  if (parameters.length === 0) return text;
  let plain = true;
  const filled = text.replace(/\$(\d+)/g, (_, number: string) => {
    const value = parameters[Number(number) - 1];
    if (typeof value === 'number' && Number.isFinite(value)) return String(value);
    if (value === null) return 'null';
    if (typeof value === 'string' && !/['\\$]/.test(value)) return `'${value}'`;
    plain = false;
    return '';
  });
  // A text with quotes may hold a `$1` of its own.
  return plain && !/'[^']*\$\d/.test(text) ? filled : undefined;
}
