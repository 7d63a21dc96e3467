/** The tables of translations as they stand in the repository, for tests that compare what is shown with them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../support/process.ts';

export type Table = Readonly<Record<string, string>>;

const folder = join(root, 'web/src');

/** Paths of the English tables below `web/src`. */
export const tablePaths: readonly string[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => /texts\.en\.ts$/.test(path))
  .sort();

export async function textsOf(path: string): Promise<{ en: Table; de: Table }> {
  const { en } = (await import(join(folder, path))) as { en: Table };
  const { de } = (await import(join(folder, path.replace('.en.ts', '.de.ts')))) as { de: Table };
  return { en, de };
}
