/**
 * ZIP archives as a stream (APPNOTE 6.3.10): members stored as they are, names in UTF-8, ZIP64 where a member, the place
 * of one, or their number needs it. Made in one pass and in the memory of one chunk: the CRC stands behind each member.
 *
 * - The length is known before the first byte, so that whoever receives it can tell whole from broken off.
 * - A member that fails, or has another size than it said, fails the stream before the directory without which no
 *   program opens the archive. Whoever stops reading has the open member closed.
 */
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';

export interface ZipMember {
  /** Safe to be the name of a file; unlike the others. */
  readonly name: string;
  readonly size: number;
  readonly modified: Date;
  open(): Promise<Readable>;
}

const most32 = 0xffff_ffff;
const most16 = 0xffff;
const length = { local: 30, descriptor: 16, central: 46, end64: 56, locator: 20, end: 22, time: 9 } as const;
const version = { plain: 20, zip64: 45, unix: 3 << 8 } as const;
/** Sizes and CRC stand behind the member; the name is UTF-8. */
const flags = 0x0808;
/** A plain file that its owner may change and others may read. */
const fileMode = 0o100644 * 0x1_0000;

/** Where a member begins, and what of it does not fit into 32 bits. */
interface Place {
  readonly name: Buffer;
  readonly size: number;
  readonly modified: Date;
  readonly at: number;
  readonly large: boolean;
  readonly far: boolean;
}

function placeOf({ name, size, modified }: Omit<ZipMember, 'open'>, at: number): Place {
  return { name: Buffer.from(name), size, modified, at, large: size >= most32, far: at >= most32 };
}

/** Bytes of a member with what stands before and behind it. */
function span({ name, size, large }: Place): number {
  return length.local + name.length + length.time + (large ? 20 + 8 : 0) + size + length.descriptor;
}

const extra64 = ({ large, far }: Place): number => (large || far ? 4 + (large ? 16 : 0) + (far ? 8 : 0) : 0);

/** Exactly how many bytes `zipBytes` gives. */
export function zipLength(members: readonly Omit<ZipMember, 'open'>[]): number {
  let at = 0;
  let directory = 0;
  for (const member of members) {
    const place = placeOf(member, at);
    at += span(place);
    directory += length.central + place.name.length + length.time + extra64(place);
  }
  return at + directory + endOf(members.length, at, directory).length;
}

export async function* zipBytes(members: AsyncIterable<ZipMember> | Iterable<ZipMember>): AsyncGenerator<Uint8Array> {
  const directory: Buffer[] = [];
  let at = 0;
  for await (const member of members) {
    const place = placeOf(member, at);
    yield localHeader(place);
    let crc = 0;
    let size = 0;
    for await (const chunk of (await member.open()) as AsyncIterable<Uint8Array>) {
      crc = crc32(chunk, crc);
      size += chunk.length;
      if (size > member.size) break;
      yield chunk;
    }
    if (size !== member.size) throw new Error('a member of the archive has another size than it said');
    yield descriptor(place, crc);
    directory.push(centralHeader(place, crc));
    at += span(place);
  }
  const whole = Buffer.concat(directory);
  yield whole;
  yield endOf(directory.length, at, whole.length);
}

function localHeader(place: Place): Buffer {
  const { name, size, modified, large } = place;
  const head = Buffer.alloc(length.local);
  head.writeUInt32LE(0x0403_4b50, 0);
  head.writeUInt16LE(large ? version.zip64 : version.plain, 4);
  head.writeUInt16LE(flags, 6);
  head.writeUInt32LE(dosTime(modified), 10);
  // Zero, as they stand behind the member; with ZIP64 the mark that says so.
  head.writeUInt32LE(large ? most32 : 0, 18);
  head.writeUInt32LE(large ? most32 : 0, 22);
  head.writeUInt16LE(name.length, 26);
  head.writeUInt16LE(length.time + (large ? 20 : 0), 28);
  return Buffer.concat([head, name, timeField(modified), ...(large ? [field64([size, size])] : [])]);
}

function descriptor({ size, large }: Place, crc: number): Buffer {
  const block = Buffer.alloc(length.descriptor + (large ? 8 : 0));
  block.writeUInt32LE(0x0807_4b50, 0);
  block.writeUInt32LE(crc, 4);
  if (large) {
    block.writeBigUInt64LE(BigInt(size), 8);
    block.writeBigUInt64LE(BigInt(size), 16);
  } else {
    block.writeUInt32LE(size, 8);
    block.writeUInt32LE(size, 12);
  }
  return block;
}

function centralHeader(place: Place, crc: number): Buffer {
  const { name, size, modified, at, large, far } = place;
  const head = Buffer.alloc(length.central);
  const needed = large || far ? version.zip64 : version.plain;
  head.writeUInt32LE(0x0201_4b50, 0);
  head.writeUInt16LE(version.unix + needed, 4);
  head.writeUInt16LE(needed, 6);
  head.writeUInt16LE(flags, 8);
  head.writeUInt32LE(dosTime(modified), 12);
  head.writeUInt32LE(crc, 16);
  head.writeUInt32LE(large ? most32 : size, 20);
  head.writeUInt32LE(large ? most32 : size, 24);
  head.writeUInt16LE(name.length, 28);
  head.writeUInt16LE(length.time + extra64(place), 30);
  head.writeUInt32LE(fileMode, 38);
  head.writeUInt32LE(far ? most32 : at, 42);
  const values = [...(large ? [size, size] : []), ...(far ? [at] : [])];
  return Buffer.concat([head, name, timeField(modified), ...(values.length > 0 ? [field64(values)] : [])]);
}

/** The end of the archive, behind the directory that begins at `at` and has `size` bytes. */
function endOf(count: number, at: number, size: number): Buffer {
  const end = Buffer.alloc(length.end);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(Math.min(count, most16), 8);
  end.writeUInt16LE(Math.min(count, most16), 10);
  end.writeUInt32LE(Math.min(size, most32), 12);
  end.writeUInt32LE(Math.min(at, most32), 16);
  if (count < most16 && at < most32 && size < most32) return end;
  const end64 = Buffer.alloc(length.end64 + length.locator);
  end64.writeUInt32LE(0x0606_4b50, 0);
  end64.writeBigUInt64LE(BigInt(length.end64 - 12), 4);
  end64.writeUInt16LE(version.unix + version.zip64, 12);
  end64.writeUInt16LE(version.zip64, 14);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(size), 40);
  end64.writeBigUInt64LE(BigInt(at), 48);
  end64.writeUInt32LE(0x0706_4b50, 56);
  end64.writeBigUInt64LE(BigInt(at + size), 64);
  end64.writeUInt32LE(1, 72);
  return Buffer.concat([end64, end]);
}

/** The extra field of ZIP64. */
function field64(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + values.length * 8);
  field.writeUInt16LE(0x0001, 0);
  field.writeUInt16LE(values.length * 8, 2);
  for (const [index, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + index * 8);
  return field;
}

/** The extra field with the time in UTC: that of DOS knows no zone. */
function timeField(modified: Date): Buffer {
  const field = Buffer.alloc(length.time);
  field.writeUInt16LE(0x5455, 0);
  field.writeUInt16LE(5, 2);
  field.writeUInt8(1, 4);
  field.writeInt32LE(Math.max(0, Math.min(0x7fff_ffff, Math.floor(modified.getTime() / 1_000))), 5);
  return field;
}

/** Time and date of DOS, from 1980 on, in steps of two seconds. */
function dosTime(modified: Date): number {
  const year = Math.max(1980, Math.min(2107, modified.getUTCFullYear()));
  const date = ((year - 1980) << 9) | ((modified.getUTCMonth() + 1) << 5) | modified.getUTCDate();
  const time = (modified.getUTCHours() << 11) | (modified.getUTCMinutes() << 5) | (modified.getUTCSeconds() >> 1);
  return ((date << 16) | time) >>> 0;
}
