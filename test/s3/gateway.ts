/**
 * A real S3 server for tests: Ceph's gateway over one monitor and one store, as Debian packages them, on loopback, in a
 * folder of its own that is removed at the end. It checks signatures, keeps users apart, and lets exactly one of many
 * conditional puts win. Only processes that were started here are ended.
 */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chownSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../support/free-port.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface Gateway {
  readonly endpoint: string;
  /** Its ceph.conf, for programs that work on it. */
  readonly configPath: string;
  /** Makes a user; one that may make no bucket of its own reaches only what others open to it. */
  user(name: string, options?: { mayMakeBuckets?: boolean }): Promise<Keys>;
  /** Runs `radosgw-admin` with these words and gives what it prints. @throws after a minute without an answer */
  admin(...words: readonly string[]): Promise<string>;
  stop(): Promise<void>;
}

const programs = ['ceph-mon', 'ceph-osd', 'ceph', 'ceph-authtool', 'monmaptool', 'radosgw', 'radosgw-admin'];
const run = promisify(execFile);
/** Longest time (ms) of one command. */
const patience = 60_000;

/** Whether the packages are here: radosgw ceph-mon ceph-osd ceph-common. */
export function gatewayInstalled(): boolean {
  return programs.every((program) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0);
}

/** About fifteen seconds. @throws an error with the last lines of its logs where it does not come up */
export async function startGateway(): Promise<Gateway> {
  // Sockets lie in it, whose paths must be short.
  const folder = mkdtempSync('/tmp/sr-s3-');
  const account = accountOf();
  const [port, messenger, legacy] = [await freePort(), await freePort(), await freePort()];
  const configPath = join(folder, 'ceph.conf');
  for (const name of ['mon', 'osd', 'run', 'log', 'rgw']) mkdirSync(join(folder, name));
  const fsid = randomUUID();
  writeFileSync(configPath, configOf(folder, fsid, `[v2:127.0.0.1:${messenger},v1:127.0.0.1:${legacy}]`));
  for (const name of ['', 'mon', 'osd', 'run', 'log', 'rgw', 'ceph.conf']) {
    if (account !== undefined) chownSync(join(folder, name), account, account);
  }
  const as = account === undefined ? {} : { uid: account, gid: account };
  const servers: { readonly child: ChildProcess; readonly ended: Promise<void> }[] = [];
  // Its tools wait for a store that does not come for ever.
  const call = async (program: string, ...words: string[]) =>
    (await run(program, words, { cwd: folder, timeout: patience, killSignal: 'SIGKILL', ...as })).stdout;
  const serve = (program: string, ...words: string[]) => {
    const log = openSync(join(folder, `${program}.out`), 'a');
    const child = spawn(program, ['-c', configPath, '-f', ...words], {
      cwd: folder,
      stdio: ['ignore', log, log],
      ...as,
    });
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    servers.push({ child, ended });
  };
  const stop = async () => {
    for (const { child, ended } of servers.toReversed()) {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(late);
    }
    rmSync(folder, { recursive: true, force: true });
  };
  const ceph = (...words: string[]) => call('ceph', '-c', configPath, '--connect-timeout', '5', ...words);
  try {
    await prepareMonitor({
      folder,
      configPath,
      fsid,
      call,
      address: `[v2:127.0.0.1:${messenger},v1:127.0.0.1:${legacy}]`,
    });
    serve('ceph-mon', '-i', 'a');
    await eventually(() => ceph('mon', 'stat'));
    const osd = randomUUID();
    await ceph('osd', 'new', osd);
    await call('ceph-osd', '-c', configPath, '-i', '0', '--mkfs', '--osd-uuid', osd);
    serve('ceph-osd', '-i', '0');
    serve('radosgw', '-n', 'client.rgw.a', '--rgw-frontends', `beast endpoint=127.0.0.1:${port}`);
    await eventually(() => reach(port));
  } catch (error) {
    const logs = programs.map((program) => lastLines(join(folder, `${program}.out`))).join('\n');
    await stop();
    throw new Error(`the gateway did not start: ${String(error)}\n${logs}`);
  }
  const admin = (...words: readonly string[]) =>
    call('radosgw-admin', '-c', configPath, '-n', 'client.rgw.a', ...words);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    configPath,
    admin,
    async user(name, { mayMakeBuckets = true } = {}) {
      const keys = { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: randomBytes(20).toString('hex') };
      const own = ['--access-key', keys.accessKeyId, '--secret-key', keys.secretAccessKey];
      const most = ['--max-buckets', mayMakeBuckets ? '0' : '-1'];
      await admin('user', 'create', '--uid', name, '--display-name', name, ...own, ...most);
      return keys;
    },
    stop,
  };
}

interface Preparation {
  readonly folder: string;
  readonly configPath: string;
  readonly fsid: string;
  readonly address: string;
  call(program: string, ...words: string[]): Promise<string>;
}

async function prepareMonitor({ folder, configPath, fsid, address, call }: Preparation): Promise<void> {
  const keyring = join(folder, 'keyring');
  const monmap = join(folder, 'monmap');
  await call('ceph-authtool', '--create-keyring', keyring, '--gen-key', '-n', 'mon.', '--cap', 'mon', 'allow *');
  for (const name of ['client.admin', 'osd.0', 'client.rgw.a']) {
    const rights = ['mon', 'osd', 'mgr'].flatMap((what) => ['--cap', what, 'allow *']);
    await call('ceph-authtool', keyring, '--gen-key', '-n', name, ...rights);
  }
  await call('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', address, monmap);
  await call('ceph-mon', '-c', configPath, '--mkfs', '-i', 'a', '--monmap', monmap, '--keyring', keyring);
}

/** One of everything, nothing replicated, small pools, and no waiting for a manager. */
function configOf(folder: string, fsid: string, monitor: string): string {
  const settings: Record<string, string> = {
    fsid,
    'mon initial members': 'a',
    'mon host': monitor,
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    'ms bind ipv6': 'false',
    keyring: join(folder, 'keyring'),
    'osd pool default size': '1',
    'osd pool default min size': '1',
    'osd pool default pg num': '8',
    'osd pool default pg autoscale mode': 'off',
    'mon allow pool size one': 'true',
    'mon max pg per osd': '1000',
    'mon data avail warn': '1',
    'mon data avail crit': '0',
    'osd crush chooseleaf type': '0',
    'osd objectstore': 'bluestore',
    'bluestore block size': String(6 * 1024 ** 3),
    'osd memory target': '939524096',
    'osd class default list': '*',
    'osd class load list': '*',
    'rgw dynamic resharding': 'false',
    'run dir': join(folder, 'run'),
    'admin socket': join(folder, 'run', '$name.$pid.asok'),
    'log file': join(folder, 'log', '$name.log'),
    'pid file': join(folder, 'run', '$name.pid'),
    'mon data': join(folder, 'mon'),
    'osd data': join(folder, 'osd'),
    'rgw data': join(folder, 'rgw'),
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return ['[global]', ...lines, ''].join('\n');
}

/** Nothing of it needs root: under root it runs as the user that its packages bring. */
function accountOf(): number | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const { status, stdout } = spawnSync('id', ['-u', 'ceph'], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

function reach(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

async function eventually(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (attempt === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

function lastLines(path: string): string {
  try {
    return readFileSync(path, 'utf8').split('\n').slice(-20).join('\n');
  } catch {
    return '';
  }
}
