/**
 * The built web app as it lies in `web/dist`: read once, at start. Names in `assets/` carry the digest of what they
 * hold, so a browser keeps them for ever; the page itself is never kept, so that it always names the present ones.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface AppFile {
  readonly type: string;
  /** Never changes under its name. */
  readonly hashed: boolean;
  readonly path: string;
  /** Sizes by coding: what the build compressed lies beside the file. */
  readonly codings: Readonly<Partial<Record<Coding, number>>>;
}

/** Best first. */
export const codings = ['br', 'gzip', 'identity'] as const;
export type Coding = (typeof codings)[number];

export interface AppFiles {
  /** The page, with `__NONCE__` where the nonce of an answer goes; undefined where nothing was built. */
  readonly page: string | undefined;
  /** @param path as in the address, with the slash */
  find(path: string): AppFile | undefined;
}

export const builtApp = fileURLToPath(new URL('../../../web/dist', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.bcmap': 'application/octet-stream',
  '.txt': 'text/plain; charset=utf-8',
};

const endings: Readonly<Record<Coding, string>> = { br: '.br', gzip: '.gz', identity: '' };

export function readAppFiles(folder: string): AppFiles {
  const page = join(folder, 'index.html');
  if (!existsSync(page)) return { page: undefined, find: () => undefined };
  const files = new Map<string, AppFile>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, name);
    const type = types[extname(name)];
    // Everything else (the page, the build's own notes, compressed twins) has no address.
    if (type === undefined || !statSync(path).isFile()) continue;
    const address = `/${name.split(/[\\/]/).join('/')}`;
    files.set(address, { type, path, hashed: address.startsWith('/assets/'), codings: codingsOf(path) });
  }
  return { page: readFileSync(page, 'utf8'), find: (path) => files.get(path) };
}

function codingsOf(path: string): AppFile['codings'] {
  const sizes: Partial<Record<Coding, number>> = {};
  for (const coding of codings) {
    const found = statSync(path + endings[coding], { throwIfNoEntry: false });
    if (found !== undefined) sizes[coding] = found.size;
  }
  return sizes;
}

/** Where the bytes of one coding lie. */
export const pathOf = (file: AppFile, coding: Coding): string => file.path + endings[coding];
