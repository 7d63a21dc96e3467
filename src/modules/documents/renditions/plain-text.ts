/**
 * Text of unknown encoding as text. No parser: one pass of the platform's decoder over a bounded number of bytes.
 * A byte order mark decides; else what is valid UTF-8 is UTF-8; else UTF-16 where every other byte is zero, as Latin
 * letters have it; else Windows-1252, unless it looks like no text at all.
 */

export const encodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;
export type Encoding = (typeof encodings)[number];

/** Bytes of a cut text, on the edge of a character. */
export interface CutText {
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
}

/** The first bytes of a UTF-8 text, at most `most`, not inside of a character. */
export function cutUtf8(bytes: Uint8Array, most: number): CutText {
  if (bytes.length <= most) return { bytes, truncated: false };
  let end = most;
  while (end > 0 && end > most - 4 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return { bytes: bytes.subarray(0, end), truncated: true };
}

export function cutText(text: string, most: number): CutText {
  return cutUtf8(Buffer.from(text), most);
}

/** The encoding of a beginning, or undefined where it is no text. `whole`: nothing comes behind it. */
export function encodingOf(bytes: Uint8Array, whole: boolean): Encoding | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  const zeros = [0, 0];
  let controls = 0;
  for (const [index, byte] of bytes.subarray(0, 65_536).entries()) {
    if (byte === 0) zeros[index % 2]! += 1;
    else if (byte < 9 || (byte > 13 && byte < 32 && byte !== 27)) controls += 1;
  }
  const looked = Math.min(bytes.length, 65_536);
  const [even, odd] = zeros as [number, number];
  if (even + odd > 0) {
    if (controls > 0 || bytes.length % 2 > Number(!whole)) return undefined;
    if (even === 0 && odd > looked / 8) return 'utf-16le';
    return odd === 0 && even > looked / 8 ? 'utf-16be' : undefined;
  }
  if (isUtf8(bytes, whole)) return 'utf-8';
  return controls > looked / 50 ? undefined : 'windows-1252';
}

function isUtf8(bytes: Uint8Array, whole: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !whole });
    return true;
  } catch {
    return false;
  }
}

/** As text; what is not valid in the encoding becomes U+FFFD. */
export function decoded(bytes: Uint8Array, encoding: Encoding): string {
  return new TextDecoder(encoding).decode(bytes, { stream: true });
}
