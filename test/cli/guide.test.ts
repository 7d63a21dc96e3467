/** The guide is run, not only read: its shell blocks against a server, its library example in a process. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cleanEnv, type Served, serve, temporaryFolder } from './support.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

function blocksOf(markdown: string, language: string): string[] {
  return [...markdown.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map((found) => found[1]!);
}

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    execFileSync('bash', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function run(command: string, args: readonly string[], cwd: string): Promise<{ code: number | null; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: cleanEnv(), stdio: ['ignore', 'pipe', 'pipe'] });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    }
    child.on('close', (code) => resolve({ code, text }));
  });
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: Served | undefined;

beforeEach(async () => {
  folder = await temporaryFolder();
});

afterEach(async () => {
  server?.kill('SIGKILL');
  await server?.exit;
  server = undefined;
  await folder.remove();
});

describe('docs/guide', { timeout: 120_000 }, () => {
  it.skipIf(!hasCurl())('first-steps.md works with curl alone, block by block', async () => {
    server = await serve(join(folder.path, 'data'));
    const blocks = blocksOf(await readFile(join(root, 'docs/guide/first-steps.md'), 'utf8'), 'sh').slice(1);
    expect(blocks.length).toBeGreaterThan(7);
    const script = blocks
      .join('\necho\n')
      .replace('BASE=http://127.0.0.1:8000', `BASE=${server.url}`)
      .replace('SETUP_TOKEN=…', `SETUP_TOKEN=${server.setupToken}`);
    const { code, text } = await run('bash', ['-euo', 'pipefail', '-c', script], folder.path);
    expect({ code, text }).toMatchObject({ code: 0 });
    const lines = text.split('\n');
    // What the administrator, the employee and the customer see, in this order.
    const seen = lines.filter((line) => /^[\w., ]+\.txt$/.test(line)).map((line) => line.split(', ').sort().join(' '));
    expect(seen).toEqual(['answer.txt contract.txt', 'answer.txt contract.txt', 'answer.txt']);
    expect(text).toContain('company_not_empty');
    expect(lines).toContain('204');
  });

  it('library.md runs as it stands', async () => {
    const [code] = blocksOf(await readFile(join(root, 'docs/guide/library.md'), 'utf8'), 'ts');
    await mkdir(join(folder.path, 'node_modules'));
    await symlink(root, join(folder.path, 'node_modules/strongroom'));
    await writeFile(join(folder.path, 'package.json'), '{ "type": "module" }');
    await writeFile(join(folder.path, 'example.ts'), code!);
    const ran = await run(process.execPath, ['example.ts'], folder.path);
    expect(ran).toMatchObject({ code: 0, text: expect.stringMatching(/'package\.json' \] [0-9a-f]{64}/) });
  });
});
