/**
 * The socket over which commands reach the server that owns a data folder. Whoever can open it is trusted as the host.
 *
 * It is `host.sock` in the folder, mode 0600. Where that path is too long for a Unix socket it lies in a short private
 * folder of the temporary one, named by a digest of the data folder's path, mode 0700. Such a folder is used only when
 * it is a real folder, closed to others, and belongs to this user or to the owner of the data folder: the temporary
 * folder is open to everybody, and a stranger's socket there would be handed passwords.
 */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, realpathSync, statSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { StrongroomError, unavailable } from './errors.ts';

/** The shortest limit of the systems that have Unix sockets, without the closing NUL: Linux 107, macOS 103. */
const longestPath = process.platform === 'linux' ? 107 : 103;
const connectWithin = 2_000;

/**
 * Where the socket of this data folder is, or would be. Creates nothing.
 * @throws forbidden `host_socket_unsafe` where a short folder is there that cannot be trusted
 */
export function hostSocketPath(dataDir: string): string {
  const folder = realPath(dataDir);
  const direct = join(folder, 'host.sock');
  if (Buffer.byteLength(direct) <= longestPath) return direct;
  const digest = createHash('sha256').update(folder).digest('hex').slice(0, 24);
  const short = join(tmpdir(), `strongroom-${digest}`);
  checkPrivate(short, folder);
  return join(short, 'host.sock');
}

/** Symbolic links resolved, so that two names of one folder give one socket. */
function realPath(dataDir: string): string {
  try {
    return realpathSync(dataDir);
  } catch {
    return resolve(dataDir);
  }
}

/** Passes for a folder that is not there, or is ours alone. */
function checkPrivate(short: string, dataDir: string): void {
  const found = lstatSync(short, { throwIfNoEntry: false });
  if (found === undefined) return;
  const owners = [process.geteuid?.(), statSync(dataDir, { throwIfNoEntry: false })?.uid];
  const safe = found.isDirectory() && owners.includes(found.uid) && (found.mode & 0o077) === 0;
  if (!safe) {
    throw new StrongroomError(
      'forbidden',
      'host_socket_unsafe',
      'The folder for the socket of this data folder belongs to somebody else or is open to others. Remove it, or use a data folder with a shorter path.',
    );
  }
}

/**
 * Whether a server answers for this data folder. A socket file that a dead server left counts as no.
 * @throws forbidden `host_socket_denied` where another user's server is behind it
 */
export async function isServed(dataDir: string): Promise<boolean> {
  const path = hostSocketPath(dataDir);
  return new Promise((settle, reject) => {
    const socket = connect(path);
    const end = (answer: () => void) => {
      socket.destroy();
      answer();
    };
    socket.setTimeout(connectWithin, () => end(() => settle(true)));
    socket.once('connect', () => end(() => settle(true)));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      end(() => {
        if (error.code === 'EACCES' || error.code === 'EPERM') reject(denied(error));
        // EAGAIN: somebody listens, and too many wait.
        else settle(error.code === 'EAGAIN');
      });
    });
  });
}

function denied(cause: unknown): StrongroomError {
  return new StrongroomError(
    'forbidden',
    'host_socket_denied',
    'Another user of this machine runs the server of this data folder. Run the command as that user.',
    { cause },
  );
}

/**
 * Makes a server listen on the socket of a data folder, open to its owner alone from the first moment. Only for the
 * process that holds `owner.lock`: a socket file that is already there is taken for a dead server's and removed.
 * @returns the path; remove nothing afterwards, closing the server removes the file
 */
export async function listenOnHostSocket(server: Server, dataDir: string): Promise<string> {
  const path = hostSocketPath(dataDir);
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Again, for a folder that somebody made in between.
  hostSocketPath(dataDir);
  removeStale(path);
  await new Promise<void>((settle, reject) => {
    server.once('error', reject);
    // The file is made inside this call, so that the mask is back before anything else runs.
    const mask = process.umask(0o177);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        settle();
      });
    } finally {
      process.umask(mask);
    }
  }).catch((error: unknown) => {
    throw unavailable('host_socket_failed', 'The socket for commands on this host cannot be opened.', 5, error);
  });
  chmodSync(path, 0o600);
  return path;
}

function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new StrongroomError(
      'conflict',
      'host_socket_taken',
      'In the data folder something else than a socket has the name host.sock. Move it away.',
    );
  }
  unlinkSync(path);
}
