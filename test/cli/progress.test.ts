/** What a person at a terminal sees of an upload that takes its time; programs and pipes see none of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { registerDocumentsAdd } from '../../src/cli/commands/documents-add.ts';
import { createProgressLine } from '../../src/cli/progress.ts';
import { createTerminal } from '../../src/cli/terminal.ts';
import { createTools } from '../../src/cli/tools.ts';
import { startTestProgram, type TestCompany, type TestProgram } from '../support/program.ts';

let running: TestProgram;
let company: TestCompany;

beforeAll(async () => {
  running = await startTestProgram();
  company = await running.company('North Works');
});
afterAll(() => running.stop());

/** Runs `documents add` in this process, on a screen that remembers. */
async function add(isTTY: boolean, ...words: string[]): Promise<{ screen: string; printed: string }> {
  const screen: string[] = [];
  const printed: string[] = [];
  const terminal = {
    ...createTerminal(),
    progress: createProgressLine({ isTTY, columns: 60, write: (text) => screen.push(text) }),
    print: (text: string) => void printed.push(`${text}\n`),
    env: { STRONGROOM_TOKEN: company.admin.token },
  };
  const program = new Command().exitOverride();
  registerDocumentsAdd(program, { ...createTools(), terminal });
  await program.parseAsync(['node', 'strongroom', 'add', ...words, '--url', running.url]);
  return { screen: screen.join(''), printed: printed.join('') };
}

function fileOf(name: string, bytes: number): string {
  const path = join(running.dataDir, name);
  writeFileSync(path, Buffer.alloc(bytes, 7));
  return path;
}

it('shows how far an upload is on one line, and takes the line away', async () => {
  const { screen, printed } = await add(true, fileOf('large.bin', 60_000_000), '--metadata', '{"year":2026}');
  const shown = screen.split('\r\u001b[K');
  const parts = shown.flatMap((text) => /^large\.bin: (\d+) % of 57\.2 MB$/.exec(text)?.[1] ?? []).map(Number);
  expect(parts.length).toBeGreaterThan(0);
  expect(parts).toEqual(parts.toSorted((a, b) => a - b));
  expect(parts[0]).toBeLessThan(100);
  expect(shown.at(-1)).toBe('');
  expect(screen).not.toContain('\n');
  expect(printed).toMatch(/^doc_\w+ {2}large\.bin {2}57\.2 MB\n$/);
  const { items } = await company.admin.client.documents.listDocuments();
  expect(items[0]).toMatchObject({ size_bytes: 60_000_000, metadata: { year: 2026 } });
});

it('shows nothing where nobody looks', async () => {
  const { screen, printed } = await add(false, fileOf('other.bin', 60_000_000));
  expect(screen).toBe('');
  expect(printed).toContain('other.bin');
});

it('cuts a line that would wrap', () => {
  const screen: string[] = [];
  createProgressLine({ isTTY: true, columns: 20, write: (text) => screen.push(text) }).show('x'.repeat(100));
  expect(screen).toEqual([`\r\u001b[K${'x'.repeat(19)}`]);
});
