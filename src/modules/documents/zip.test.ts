import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { unzip, zipEntries } from '../../../test/support/zip.ts';
import { archiveNames, safeName } from './archive-names.ts';
import { type ZipMember, zipBytes, zipLength } from './zip.ts';

const modified = new Date('2026-11-21T09:30:10Z');
const member = (name: string, bytes: Buffer | string, size = Buffer.byteLength(bytes)): ZipMember => ({
  name,
  size,
  modified,
  open: async () => Readable.from([Buffer.from(bytes)]),
});

async function bytesOf(members: readonly ZipMember[]): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of zipBytes(members)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('an archive', () => {
  it('holds every member, byte for byte, and has the length that was said before', async () => {
    const members = [
      member('a.txt', 'one'),
      member('empty', ''),
      member('Grüße 🙂.txt', Buffer.alloc(300_000, 7)),
      ...Array.from({ length: 1_000 }, (_, at) => member(`many-${at}`, String(at))),
    ];
    const archive = await bytesOf(members);
    expect(archive.length).toBe(zipLength(members));
    const read = unzip(archive);
    expect([...read.keys()]).toEqual(members.map(({ name }) => name));
    expect(read.get('a.txt')!.toString()).toBe('one');
    expect(read.get('empty')!.length).toBe(0);
    expect(read.get('Grüße 🙂.txt')!.equals(Buffer.alloc(300_000, 7))).toBe(true);
    expect(read.get('many-999')!.toString()).toBe('999');
    expect((await bytesOf([])).length).toBe(zipLength([]));
  });

  it('never ends well where a member breaks or has another size than it said', async () => {
    const broken: ZipMember = {
      ...member('broken', 'x'.repeat(100)),
      open: async () =>
        Readable.from(
          (async function* () {
            yield Buffer.from('some');
            throw new Error('gone');
          })(),
        ),
    };
    await expect(bytesOf([member('a', 'a'), broken])).rejects.toThrow('gone');
    await expect(bytesOf([member('short', 'abc', 4)])).rejects.toThrow('another size');
    await expect(bytesOf([member('long', 'abc', 2)])).rejects.toThrow('another size');
  });

  it('closes the open member where its reader goes away', async () => {
    const stream = Readable.from([Buffer.alloc(10), Buffer.alloc(10), Buffer.alloc(10)]);
    const bytes = zipBytes([{ name: 'a', size: 30, modified, open: async () => stream }]);
    await bytes.next();
    await bytes.next();
    expect(stream.destroyed).toBe(false);
    await bytes.return(undefined);
    expect(stream.destroyed).toBe(true);
  });

  it('takes members of more than 4 GiB, and those that begin beyond', async () => {
    const chunk = Buffer.alloc(4 * 1024 * 1024, 1);
    const size = 4 * 1024 ** 3 + 5;
    async function* large() {
      for (let left = size; left > 0; left -= chunk.length) yield left < chunk.length ? chunk.subarray(0, left) : chunk;
    }
    const members = [
      { name: 'large.bin', size, modified, open: async () => Readable.from(large()) },
      member('behind.txt', 'behind'),
    ];
    let length = 0;
    let tail = Buffer.alloc(0);
    for await (const part of zipBytes(members)) {
      length += part.length;
      tail = part.length > 1_000_000 ? Buffer.alloc(0) : Buffer.concat([tail, part]);
    }
    expect(length).toBe(zipLength(members));
    const [first, second] = zipEntries(tail, length);
    expect(first).toMatchObject({ name: 'large.bin', size, at: 0 });
    expect(second).toMatchObject({ name: 'behind.txt', size: 6 });
    expect(second!.at).toBeGreaterThan(size);
    expect(tail.readUInt32LE(second!.at - (length - tail.length))).toBe(0x0403_4b50);
  }, 60_000);
});

describe('names inside of an archive', () => {
  it('are safe on every system', () => {
    for (const [given, safe] of [
      ['../../etc/passwd', '.._.._etc_passwd'],
      ['C:\\x.txt', 'C__x.txt'],
      ['a<b>|"?*.txt', 'a_b_____.txt'],
      ['tab\there\n.txt', 'tab_here_.txt'],
      ['CON', '_CON'],
      ['nul.txt', '_nul.txt'],
      ['com1', '_com1'],
      ['LPT¹.log', '_LPT¹.log'],
      ['console.txt', 'console.txt'],
      ['ends. . ', 'ends'],
      ['...', 'document'],
      ['e\u0301.txt', 'é.txt'],
      ['\u202Egnp.exe', '_gnp.exe'],
      ['.profile', '.profile'],
    ] as const) {
      expect(safeName(given), given).toBe(safe);
    }
  });

  it('are numbered where two would be one file', () => {
    expect(archiveNames(['a.txt', 'A.TXT', 'a.txt', 'a (2).txt', 'b', 'b', 'x.tar.gz', 'x.tar.gz'])).toEqual([
      'a.txt',
      'A (2).TXT',
      'a (3).txt',
      'a (2) (2).txt',
      'b',
      'b (2)',
      'x.tar.gz',
      'x.tar (2).gz',
    ]);
    expect(archiveNames(['con', '_CON'])).toEqual(['_con', '_CON (2)']);
    const same = archiveNames(Array.from({ length: 1_000 }, () => 'report.pdf'));
    expect(new Set(same).size).toBe(1_000);
    expect(same.at(-1)).toBe('report (1000).pdf');
  });

  it('have at most 255 bytes, cut between two characters, and keep their ending', () => {
    const [first, second] = archiveNames([`${'é'.repeat(250)}.txt`, `${'é'.repeat(250)}.txt`]);
    for (const name of [first!, second!]) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
      expect(Buffer.byteLength(name)).toBeGreaterThan(250);
      expect(name.isWellFormed()).toBe(true);
      expect(name.endsWith('.txt')).toBe(true);
    }
    expect(second).toMatch(/é \(2\)\.txt$/);
    expect(archiveNames(['😀'.repeat(255)])[0]).toBe('😀'.repeat(63));
  });
});
