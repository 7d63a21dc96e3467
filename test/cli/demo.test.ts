/** The demo is a promise too: it must run on a clean machine, and no try may get through. */
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { strongroom } from './support.ts';

async function demoFolders(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('strongroom-demo-'));
}

it('shows two companies, holds every try, and leaves nothing behind', async () => {
  const before = await demoFolders();
  const ran = await strongroom('/nonexistent', ['demo'], { within: 100_000 });
  expect(ran.err).toBe('');
  expect(ran.code).toBe(0);
  expect(ran.out).toContain('Alder Works');
  expect(ran.out).toContain('ATTACH the other company');
  expect(ran.out).toMatch(/None of \d\d tries got through/);
  expect(ran.out).not.toContain('GOT THROUGH');
  expect((await demoFolders()).filter((name) => !before.includes(name))).toEqual([]);
}, 120_000);
