/** Commands find the server of a data folder, never a stranger's, and a dead server's socket is no server. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hostSocketPath, isServed, listenOnHostSocket } from './host-socket.ts';

let folder: string;
const servers: Server[] = [];
const shortFolders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strongroom-socket-'));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await stop(server);
  for (const path of [folder, ...shortFolders.splice(0)]) rmSync(path, { recursive: true, force: true });
});

const stop = (server: Server) => new Promise((resolve) => server.close(resolve));

function newServer(): Server {
  const server = createServer((socket) => socket.end());
  servers.push(server);
  return server;
}

function deepFolder(): string {
  const path = join(folder, 'x'.repeat(60), 'y'.repeat(60));
  mkdirSync(path, { recursive: true });
  shortFolders.push(dirname(hostSocketPath(path)));
  return path;
}

function openFolder(path: string): void {
  mkdirSync(path);
  chmodSync(path, 0o777);
}

const mode = (path: string) => statSync(path).mode & 0o777;

test('a socket in the data folder, open to its owner alone, that answers while the server lives', async () => {
  expect(hostSocketPath(folder)).toBe(join(folder, 'host.sock'));
  expect(await isServed(folder)).toBe(false);
  expect(existsSync(hostSocketPath(folder))).toBe(false);
  const mask = process.umask(0);
  const server = newServer();
  const listening = listenOnHostSocket(server, folder);
  // Before the promise: there is no moment at which others could open it.
  expect(mode(hostSocketPath(folder))).toBe(0o600);
  expect(await listening).toBe(hostSocketPath(folder));
  expect(process.umask(mask)).toBe(0);
  expect(await isServed(folder)).toBe(true);
  await stop(server);
  expect(await isServed(folder)).toBe(false);
});

test('the socket file of a dead server is no server, stays for others, and makes way for the next owner', async () => {
  const { spawnSync } = await import('node:child_process');
  const script = `require('net').createServer().listen(${JSON.stringify(join(folder, 'host.sock'))}, () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', script]);
  expect(existsSync(join(folder, 'host.sock'))).toBe(true);
  expect(await isServed(folder)).toBe(false);
  expect(existsSync(join(folder, 'host.sock'))).toBe(true);
  await listenOnHostSocket(newServer(), folder);
  expect(await isServed(folder)).toBe(true);
});

test('something else of that name is not removed', async () => {
  writeFileSync(join(folder, 'host.sock'), 'mine');
  await expect(listenOnHostSocket(newServer(), folder)).rejects.toMatchObject({ code: 'host_socket_taken' });
  expect(existsSync(join(folder, 'host.sock'))).toBe(true);
});

test('a path too long for a socket has a short private folder, the same by every name of the data folder', async () => {
  const deep = deepFolder();
  const path = hostSocketPath(deep);
  expect(Buffer.byteLength(path)).toBeLessThanOrEqual(103);
  const link = join(folder, 'link');
  symlinkSync(deep, link);
  expect(hostSocketPath(link)).toBe(path);
  expect(hostSocketPath(`${deep}/../${'y'.repeat(60)}`)).toBe(path);
  expect(existsSync(dirname(path))).toBe(false);
  await listenOnHostSocket(newServer(), deep);
  expect([mode(dirname(path)), mode(path)]).toEqual([0o700, 0o600]);
  expect(await isServed(deep)).toBe(true);
});

test.each([
  ['open to others', openFolder],
  ['a link to another folder', (short: string) => symlinkSync(tmpdir(), short)],
  ['a file', (short: string) => writeFileSync(short, '')],
])('a short folder that is %s is not trusted, by server or command', async (_, plant) => {
  const deep = deepFolder();
  plant(dirname(hostSocketPath(deep)));
  const refused = expect.objectContaining({ kind: 'forbidden', code: 'host_socket_unsafe' });
  expect(() => hostSocketPath(deep)).toThrowError(refused);
  await expect(isServed(deep)).rejects.toEqual(refused);
  await expect(listenOnHostSocket(newServer(), deep)).rejects.toEqual(refused);
});
