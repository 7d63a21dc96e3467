/** Adds rows of companies to a stopped server's control database, to measure a fleet of ten thousand on one machine. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newId } from '../src/kernel/ids.ts';

/** Copies the newest active company's row under new ids, `count` times. Their files are not made: nobody opens them. */
export function addCompanyRows(dataDir: string, count: number): void {
  const db = new DatabaseSync(join(dataDir, 'control.db'));
  const model = db
    .prepare("select * from tenants where state = 'active' order by created_at desc limit 1")
    .get() as Record<string, string | number | null>;
  const columns = Object.keys(model);
  const insert = db.prepare(
    `insert into tenants (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`,
  );
  const modelPart = String(model.id).slice(5);
  db.exec('begin');
  for (let index = 0; index < count; index += 1) {
    const id = newId('company');
    const part = id.slice(5);
    const slug = `copy-${part}`.slice(0, 40);
    insert.run(
      ...columns.map((column) => {
        const value = model[column] ?? null;
        if (column === 'slug') return slug;
        if (column === 'search') return String(value).replace(/\n.*\n/, `\n${slug}\n`);
        return typeof value === 'string' ? value.replaceAll(modelPart, part) : value;
      }),
    );
  }
  db.exec('commit');
  db.close();
}
