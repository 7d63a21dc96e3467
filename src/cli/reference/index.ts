/**
 * The pages of docs/reference. `node src/cli/reference/index.ts` writes them; a test of the house says when they are
 * not what the code says.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { commandLinePage } from './command-line-page.ts';
import { errorsPage } from './errors-page.ts';
import { httpPage } from './http-page.ts';
import { settingsPage } from './settings-page.ts';

export const referenceFolder = fileURLToPath(new URL('../../../docs/reference/', import.meta.url));

/** File name → content. */
export const referencePages: Readonly<Record<string, () => string>> = {
  'settings.md': settingsPage,
  'errors.md': errorsPage,
  'http.md': httpPage,
  'command-line.md': commandLinePage,
};

if (import.meta.main) {
  mkdirSync(referenceFolder, { recursive: true });
  for (const [file, page] of Object.entries(referencePages)) writeFileSync(`${referenceFolder}${file}`, page());
  process.stdout.write(`${Object.keys(referencePages).length} pages are written.\n`);
}
