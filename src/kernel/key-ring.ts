/**
 * Reads the key ring from its variable or from `keys.json`, and makes the file at the first start.
 *
 * Guarantees: a ring that is returned has at least one key, each of 32 bytes that look random, ids and keys all
 * different. A new file is durable before anything is sealed with it, and two first starts at once end with one ring.
 */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { StrongroomError } from './errors.ts';
import type { Config } from './settings.ts';

export interface RingKey {
  readonly id: string;
  readonly bytes: Buffer;
}

const howToMake = 'Make one with: openssl rand -base64 32';

/**
 * The keys, newest first.
 * @throws invalid `key_ring_invalid` | `key_ring_readable_by_others` | `key_ring_missing`
 */
export function readRing(config: Pick<Config, 'dataDir' | 'keyRing'>): readonly RingKey[] {
  if (config.keyRing !== null) return parseVariable(config.keyRing);
  const path = join(config.dataDir, 'keys.json');
  return readFile(path) ?? makeFile(config.dataDir, path);
}

function refused(code: string, message: string, cause?: unknown): StrongroomError {
  return new StrongroomError('invalid', code, message, { cause });
}

function parseVariable(text: string): readonly RingKey[] {
  const pairs = text.split(/[\s,]+/).filter((pair) => pair !== '');
  return checkRing(
    'STRONGROOM_KEY_RING',
    pairs.map((pair) => {
      const colon = pair.indexOf(':');
      return { id: pair.slice(0, Math.max(colon, 0)), key: pair.slice(colon + 1) };
    }),
  );
}

function readFile(path: string): readonly RingKey[] | undefined {
  let file: number;
  try {
    file = fs.openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw refused('key_ring_invalid', 'The key ring keys.json cannot be read.', error);
  }
  try {
    // Of the opened file, so that what was checked is what is read.
    if (process.platform !== 'win32' && (fs.fstatSync(file).mode & 0o077) !== 0) {
      throw refused(
        'key_ring_readable_by_others',
        'Other users of this machine may read the key ring keys.json. Allow it to its owner alone: chmod 600 keys.json',
      );
    }
    let parsed: { version?: unknown; keys?: unknown };
    try {
      parsed = JSON.parse(fs.readFileSync(file, 'utf8'));
    } catch (error) {
      throw refused('key_ring_invalid', 'The key ring keys.json is not valid JSON.', error);
    }
    if (parsed?.version !== 1 || !Array.isArray(parsed.keys)) {
      throw refused('key_ring_invalid', 'The key ring keys.json is not of a version that this release reads.');
    }
    return checkRing('The key ring keys.json', parsed.keys);
  } finally {
    fs.closeSync(file);
  }
}

function checkRing(source: string, entries: readonly unknown[]): readonly RingKey[] {
  const ring: RingKey[] = [];
  entries.forEach((entry, index) => {
    const { id, key } = (entry ?? {}) as { id?: unknown; key?: unknown };
    const mistake = entryMistake(id, key) ?? (ring.some((other) => other.id === id) ? 'repeats an id' : undefined);
    if (mistake !== undefined) {
      throw refused('key_ring_invalid', `${source}: key ${index + 1} ${mistake}. ${howToMake}`);
    }
    const bytes = Buffer.from(key as string, 'base64');
    if (ring.some((other) => other.bytes.equals(bytes))) {
      throw refused('key_ring_invalid', `${source}: key ${index + 1} is the same as an earlier one. ${howToMake}`);
    }
    ring.push({ id: id as string, bytes });
  });
  if (ring.length === 0) throw refused('key_ring_invalid', `${source} holds no key. ${howToMake}`);
  return ring;
}

function entryMistake(id: unknown, key: unknown): string | undefined {
  if (typeof id !== 'string' || !/^[a-z0-9][a-z0-9_-]{0,31}$/.test(id)) {
    return 'needs an id of at most 32 lower-case letters, digits, _ and - before the colon';
  }
  if (typeof key !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(key)) return 'is not base64';
  const bytes = Buffer.from(key, 'base64');
  if (bytes.length !== 32) return `has ${bytes.length} bytes and needs 32`;
  return looksRandom(bytes) ? undefined : 'is a sample or typed by hand';
}

/** Whether 32 bytes can be taken for random: keys from documentation and words in base64 cannot. */
function looksRandom(bytes: Buffer): boolean {
  // Each test is passed by all but fewer than one in 10^12 random keys.
  const different = new Set(bytes).size;
  const printable = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  const step = bytes[1]! - bytes[0]!;
  const counting = bytes.every((byte, index) => index === 0 || ((byte - bytes[index - 1]! - step) & 0xff) === 0);
  return different >= 16 && !printable && !counting;
}

function makeFile(dataDir: string, path: string): readonly RingKey[] {
  if (fs.existsSync(join(dataDir, 'control.db'))) {
    throw refused(
      'key_ring_missing',
      'The data folder has a control database but no keys.json. A new key ring could not open what is sealed there: put the old keys.json back, or give the ring in STRONGROOM_KEY_RING.',
    );
  }
  fs.mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const id = `k${randomBytes(4).toString('hex')}`;
  const ring = { version: 1, keys: [{ id, key: randomBytes(32).toString('base64') }] };
  const draft = `${path}.${id}.tmp`;
  const file = fs.openSync(draft, 'wx', 0o600);
  try {
    fs.writeSync(file, `${JSON.stringify(ring, null, 2)}\n`);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
  try {
    // A link, unlike a rename, fails where another first start was quicker; its ring then counts.
    fs.linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    fs.unlinkSync(draft);
  }
  const folder = fs.openSync(dataDir, 'r');
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
  return readFile(path)!;
}
