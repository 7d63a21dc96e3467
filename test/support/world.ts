/**
 * The world hash of the promise that a refusal has no effect: one digest over everything that a company is. Read from the outside, with
 * node:sqlite and the file system alone, so that a fault of the product cannot hide itself.
 *
 * Left out is what a refusal may change: audit rows and their seals, rate counters, the work index, and the time a
 * session was last seen.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const mayChange = /^(audit_|tenant_work$|sqlite_|idempotency)/;
const volatileColumns = new Set(['last_seen_at', 'last_used_at']);

/** Rows of every table, as sorted JSON lines; `only` keeps the rows whose JSON contains that text. */
export function databaseRows(path: string, only?: string): string[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const tables = db.prepare("select name from sqlite_master where type = 'table' order by name").all() as {
      name: string;
    }[];
    const lines: string[] = [];
    for (const { name } of tables) {
      if (mayChange.test(name)) continue;
      for (const row of db.prepare(`select * from "${name}"`).all()) {
        const kept = Object.entries(row).filter(([column]) => !volatileColumns.has(column));
        const line = `${name} ${JSON.stringify(kept)}`;
        if (only === undefined || line.includes(only)) lines.push(line);
      }
    }
    return lines.sort();
  } finally {
    db.close();
  }
}

/** Every file below a folder: path, size, SHA-256. */
export function folderFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((path) => statSync(join(folder, path)).isFile())
    .map((path) => {
      const bytes = readFileSync(join(folder, path));
      return `${path} ${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
    })
    .sort();
}

/** Everything that one company is, line by line: comparing two of these names what changed. */
export function companyWorld(dataDir: string, companyId: string, bucket: string): string[] {
  const part = companyId.slice(companyId.indexOf('_') + 1);
  return [
    ...databaseRows(join(dataDir, 'tenants', part, 'tenant.db')),
    ...databaseRows(join(dataDir, 'control.db'), part).map((line) => `control ${line}`),
    ...folderFiles(join(dataDir, 'buckets', bucket)).map((line) => `object ${line}`),
  ];
}

/** The digest of such lines. */
export function worldHash(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
