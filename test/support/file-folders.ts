/** Temporary folders that a whole test file keeps, for programs that outlive the test which started them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** To be called once at the top of a test file. What it makes is removed behind every other end of that file. */
export function foldersOfThisFile(): () => string {
  const folders: string[] = [];
  // Ends run last in, first out.
  afterAll(() => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  return () => {
    const folder = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
    folders.push(folder);
    return folder;
  };
}
