/** Reads ZIP archives as programs do: by the directory at the end, with ZIP64, comparing every CRC. For tests alone. */
import { crc32 } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly at: number;
  readonly crc: number;
}

/** Where the directory is, from the end of the archive; throws where there is none: then no program opens it. */
function directoryOf(tail: Buffer): { at: number; count: number } {
  const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error('the archive has no end');
  const locator = end - 20;
  if (locator >= 0 && tail.readUInt32LE(locator) === 0x0706_4b50) {
    const end64 = locator - 56;
    if (tail.readUInt32LE(end64) !== 0x0606_4b50) throw new Error('the end of ZIP64 is not where it should be');
    return { at: Number(tail.readBigUInt64LE(end64 + 48)), count: Number(tail.readBigUInt64LE(end64 + 32)) };
  }
  return { at: tail.readUInt32LE(end + 16), count: tail.readUInt16LE(end + 10) };
}

/** @param tail the last bytes of the archive, at least all of the directory; `whole` is its length */
export function zipEntries(tail: Buffer, whole = tail.length): ZipEntry[] {
  const { at, count } = directoryOf(tail);
  let place = at - (whole - tail.length);
  return Array.from({ length: count }, () => {
    if (tail.readUInt32LE(place) !== 0x0201_4b50) throw new Error('the directory is broken');
    const nameLength = tail.readUInt16LE(place + 28);
    const extraLength = tail.readUInt16LE(place + 30);
    const name = tail.subarray(place + 46, place + 46 + nameLength).toString('utf8');
    const extra = tail.subarray(place + 46 + nameLength, place + 46 + nameLength + extraLength);
    const wide = field64(extra);
    const size = tail.readUInt32LE(place + 24);
    const offset = tail.readUInt32LE(place + 42);
    const large = size === 0xffff_ffff;
    if (large) {
      wide();
    }
    const entry = {
      name,
      crc: tail.readUInt32LE(place + 16),
      size: large ? wide() : size,
      at: offset === 0xffff_ffff ? wide() : offset,
    };
    place += 46 + nameLength + extraLength;
    return entry;
  });
}

/** Gives the values of the field of ZIP64, one after the other. */
function field64(extra: Buffer): () => number {
  let values: Buffer = Buffer.alloc(0);
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1) values = extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2));
  }
  let next = 0;
  return () => {
    next += 8;
    return Number(values.readBigUInt64LE(next - 8));
  };
}

/** Every member with its bytes, by name. */
export function unzip(archive: Buffer): Map<string, Buffer> {
  const members = zipEntries(archive).map(({ name, size, at, crc }): [string, Buffer] => {
    if (archive.readUInt32LE(at) !== 0x0403_4b50) throw new Error(`${name} does not begin where it should`);
    const start = at + 30 + archive.readUInt16LE(at + 26) + archive.readUInt16LE(at + 28);
    const bytes = archive.subarray(start, start + size);
    if (crc32(bytes) !== crc) throw new Error(`${name} has another CRC`);
    return [name, bytes];
  });
  return new Map(members);
}
