/** What of the two companies lies on the disk, and a search of each one's files for the other's words. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { idPart } from '../../kernel/ids.ts';
import type { Company } from '../../modules/fleet/contract.ts';
import { humanBytes } from '../table.ts';

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Where a company lies in a data folder with the default templates. */
export function placesOf(dataDir: string, company: Company): { database: string; bucket: string } {
  return {
    database: join(dataDir, 'tenants', idPart(company.id), 'tenant.db'),
    bucket: join(dataDir, 'buckets', company.bucket),
  };
}

/** Lines such as `tenants/…/tenant.db  148.0 KB`. */
export async function showPlaces(dataDir: string, company: Company): Promise<string[]> {
  const { database, bucket } = placesOf(dataDir, company);
  const objects = await filesBelow(bucket);
  const sizes = await Promise.all(objects.map(async (path) => (await stat(path)).size));
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  return [
    `${relative(dataDir, database)}  ${humanBytes((await stat(database)).size)}`,
    `${relative(dataDir, bucket)}/  ${objects.length} objects, ${humanBytes(bytes)}`,
  ];
}

/** How many files of `company` contain one of `words`: its database with the log beside it, and its objects. */
export async function filesThatMention(dataDir: string, company: Company, words: readonly string[]): Promise<number> {
  const { database, bucket } = placesOf(dataDir, company);
  const files = [...(await filesBelow(dirname(database))), ...(await filesBelow(bucket))];
  let found = 0;
  for (const file of files) {
    const bytes = await readFile(file);
    if (words.some((word) => bytes.includes(word))) found += 1;
  }
  return found;
}
