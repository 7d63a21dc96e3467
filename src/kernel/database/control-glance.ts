/**
 * A glance at an embedded control database, for the one question that is asked of a whole fleet again and again: is
 * anything behind? Reads only, takes nothing, and may run beside the server that owns the folder.
 *
 * The one place that asks node:sqlite directly: loading the query layer and opening a kernel takes longer than the whole
 * answer may (`migrate` over ten thousand companies with nothing to do). Whatever is not plainly current is left to them.
 */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export interface Heads {
  /** Migrations of the control database, and of each tenant's, that this release has. */
  readonly control: number;
  readonly tenant: number;
}

/** Whether control database and every company are at the release's heads; false where this cannot be told. */
export function isFleetCurrent(controlPath: string, heads: Heads): boolean {
  if (!existsSync(controlPath)) return false;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(controlPath, { readOnly: true, limits: { attach: 0 } });
    const applied = db.prepare('select count(*) as n from migrations').get() as { n: number };
    if (applied.n !== heads.control) return false;
    const off = db
      .prepare("select 1 from tenants where state not in ('deleted', 'purging') and schema_version <> ? limit 1")
      .get(heads.tenant);
    const running = db.prepare("select 1 from migration_runs where status = 'running' limit 1").get();
    return off === undefined && running === undefined;
  } catch {
    // Locked, damaged or of another release: the long way says what it is.
    return false;
  } finally {
    db?.close();
  }
}
