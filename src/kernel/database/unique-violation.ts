/** How a caller tells, on either dialect, that a statement failed because a value is taken. */
import { StatementError } from './sqlite-errors.ts';

/** What was not unique: what the engine tells, which on SQLite is table and columns, on PostgreSQL all three. */
export interface UniqueViolation {
  readonly table?: string;
  readonly columns?: readonly string[];
  readonly constraint?: string;
}

const uniqueCodes = new Set([2067, 1555, 2579]);

/** Whether a statement failed because a value is taken, on either dialect; and which. */
export function isUniqueViolation(error: unknown): UniqueViolation | false {
  if (error instanceof StatementError) {
    if (!uniqueCodes.has(error.errcode)) return false;
    const index = /failed: index '(.+)'$/.exec(error.message);
    if (index !== null) return { constraint: index[1]! };
    const parts = (error.message.split('failed: ')[1] ?? '').split(', ').map((part) => part.split('.'));
    return { table: parts[0]?.[0] ?? '', columns: parts.map((part) => part[1] ?? '') };
  }
  if (!(error instanceof Error) || !('code' in error) || error.code !== '23505') return false;
  const { detail, ...named } = error as { table?: string; constraint?: string; detail?: string };
  const [table, constraint] = [withoutShard(named.table), withoutShard(named.constraint)];
  const columns = /^Key \((.+?)\)=/.exec(detail ?? '')?.[1]?.split(', ');
  return {
    ...(table === undefined ? {} : { table }),
    ...(columns === undefined ? {} : { columns }),
    ...(constraint === undefined ? {} : { constraint }),
  };
}

/** On Citus names carry the number of the part of the table that refused, as `users_username_102248`. */
function withoutShard(name: string | undefined): string | undefined {
  return name?.replace(/_\d{6,}$/, '');
}
