/**
 * multipart/form-data (RFC 7578) read by pulling: parts come one after the other, a file part is a stream that the
 * handler reads at its own pace, and nothing is buffered beyond one chunk and one part's headers.
 *
 * Written here, and not taken from a parser that pushes, because every fault must be an error exactly once: a body
 * that breaks off is 400, a limit is 413, a part that cannot be understood is 400 or 422. The parsers at hand skip
 * such parts, cut files at the limit and end normally, or raise one fault on two emitters.
 */
import { isUtf8 } from 'node:buffer';
import { Readable } from 'node:stream';
import type { MultipartPart } from '../kernel/module.ts';
import { malformed, Refusal, tooLarge, unprocessable, unsupportedMedia } from './refusal.ts';

export interface MultipartLimits {
  /** Parts in one body. */
  readonly parts: number;
  /** Bytes of one field that is not a file. */
  readonly fieldBytes: number;
  /** Bytes of one file. */
  readonly fileBytes: number;
}

const maxHeaderBytes = 16 * 1024;
const fileBuffer = 256 * 1024;

/** The boundary that a Content-Type states. @throws Refusal 415 (not multipart), 400 (boundary missing or malformed) */
export function boundaryOf(contentType: string | undefined): string {
  if (contentType === undefined || !/^multipart\/form-data *(;|$)/i.test(contentType)) {
    throw unsupportedMedia('Send multipart/form-data.');
  }
  const found = /; *boundary=(?:"([^"]*)"|([^\s;"]*))/i.exec(contentType);
  const boundary = found?.[1] ?? found?.[2] ?? '';
  if (!/^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/.test(boundary)) {
    throw malformed('The multipart boundary is missing, too long or malformed.', 'malformed_multipart');
  }
  return boundary;
}

/**
 * The parts of `source`, in order. Asking for the next part skips what was not read of the one before.
 * @throws Refusal 400 (broken off, not multipart), 413 (limits), 422 (names)
 */
export async function* multipartParts(
  source: Readable,
  boundary: string,
  limits: MultipartLimits,
): AsyncGenerator<MultipartPart, void, void> {
  const scanner = createScanner(source, boundary);
  await scanner.skipPreamble();
  for (let parts = 1; await scanner.startPart(); parts += 1) {
    if (parts > limits.parts) throw tooLarge(`At most ${limits.parts} parts in one body.`, 'too_many_parts');
    const head = parseHead(await scanner.headers());
    if (head.filename === undefined) {
      yield { kind: 'field', name: head.name, value: await fieldText(scanner, head.name, limits.fieldBytes) };
      continue;
    }
    const file = fileStream(scanner, limits.fileBytes);
    yield { kind: 'file', name: head.name, filename: head.filename, mimeType: head.mimeType, stream: file.stream };
    await file.leave();
    await scanner.skipContent();
  }
  await scanner.drain();
}

function brokenOff(): Refusal {
  return malformed('The multipart body ends before its last boundary.', 'malformed_multipart');
}

function createScanner(source: Readable, boundary: string) {
  const delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  const chunks = source.iterator({ destroyOnReturn: false });
  // A delimiter in front of the first part may stand at the very start, without the line break that belongs to it.
  let held: Buffer = Buffer.from('\r\n');
  let ended = false;
  let inContent = false;

  async function pull(): Promise<boolean> {
    if (ended) return false;
    const next = await chunks.next();
    if (next.done === true) {
      ended = true;
      return false;
    }
    const chunk = next.value as Buffer;
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    return true;
  }

  async function need(bytes: number): Promise<void> {
    while (held.length < bytes) if (!(await pull())) throw brokenOff();
  }

  /** The next bytes of the content, or undefined at the delimiter, which is stepped over. */
  async function content(): Promise<Buffer | undefined> {
    while (inContent) {
      const found = held.indexOf(delimiter);
      if (found === 0) {
        held = held.subarray(delimiter.length);
        inContent = false;
        return undefined;
      }
      const sure = found > 0 ? found : lengthBeforePrefix(held, delimiter);
      if (sure > 0) {
        const bytes = held.subarray(0, sure);
        held = held.subarray(sure);
        return bytes;
      }
      if (!(await pull())) throw brokenOff();
    }
    return undefined;
  }

  async function skipContent(): Promise<void> {
    while ((await content()) !== undefined);
  }

  return {
    content,
    skipContent,
    async skipPreamble(): Promise<void> {
      inContent = true;
      await skipContent();
    },
    /** Steps over the end of a delimiter line; false at the closing one. */
    async startPart(): Promise<boolean> {
      await need(2);
      if (held[0] === 0x2d && held[1] === 0x2d) return false;
      let spaces = 0;
      for (; ; spaces += 1) {
        await need(spaces + 2);
        if (held[spaces] !== 0x20 && held[spaces] !== 0x09) break;
        if (spaces > 100) throw malformed('A multipart boundary line is malformed.', 'malformed_multipart');
      }
      if (held[spaces] !== 0x0d || held[spaces + 1] !== 0x0a) {
        throw malformed('A multipart boundary line is malformed.', 'malformed_multipart');
      }
      // The line break stays: an empty header block is then found like any other.
      held = held.subarray(spaces);
      return true;
    },
    /** The header block of a part, without the empty line. */
    async headers(): Promise<Buffer> {
      let end = held.indexOf('\r\n\r\n');
      while (end === -1) {
        if (held.length > maxHeaderBytes)
          throw new Refusal(431, 'part_headers_too_large', 'Headers of a part too large.');
        if (!(await pull())) throw brokenOff();
        end = held.indexOf('\r\n\r\n');
      }
      if (end > maxHeaderBytes) throw new Refusal(431, 'part_headers_too_large', 'Headers of a part too large.');
      const block = held.subarray(Math.min(2, end), end);
      held = held.subarray(end + 4);
      inContent = true;
      return block;
    },
    /** Reads and drops what follows the closing boundary. */
    async drain(): Promise<void> {
      do held = Buffer.alloc(0);
      while (await pull());
    },
  };
}

/** How many bytes of `bytes` cannot belong to a delimiter that goes on in the next chunk. */
function lengthBeforePrefix(bytes: Buffer, delimiter: Buffer): number {
  let at = bytes.indexOf(0x0d, Math.max(0, bytes.length - delimiter.length + 1));
  while (at !== -1) {
    if (bytes.compare(delimiter, 0, bytes.length - at, at) === 0) return at;
    at = bytes.indexOf(0x0d, at + 1);
  }
  return bytes.length;
}

type Scanner = ReturnType<typeof createScanner>;

async function fieldText(scanner: Scanner, name: string, maxBytes: number): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let piece = await scanner.content(); piece !== undefined; piece = await scanner.content()) {
    size += piece.length;
    if (size > maxBytes) throw tooLarge(`The field ${JSON.stringify(name.slice(0, 100))} is too large.`);
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  if (!isUtf8(bytes)) throw malformed('A field is not valid UTF-8.', 'malformed_multipart');
  const value = bytes.toString('utf8');
  if (value.includes('\0')) throw unprocessable(name.slice(0, 100), 'must not contain the character U+0000');
  return value;
}

/**
 * The content as a stream. Past the limit it fails with 413, so that a file is never cut in silence. `leave` ends it
 * and resolves when it no longer reads.
 */
function fileStream(scanner: Scanner, maxBytes: number): { stream: Readable; leave(): Promise<void> } {
  let size = 0;
  let reading: Promise<void> = Promise.resolve();
  const stream = new Readable({
    highWaterMark: fileBuffer,
    read() {
      reading = scanner.content().then(
        (bytes) => {
          size += bytes?.length ?? 0;
          if (size > maxBytes) stream.destroy(tooLarge('The file is larger than this server takes.', 'file_too_large'));
          else stream.push(bytes ?? null);
        },
        (error: Error) => {
          stream.destroy(error);
        },
      );
    },
  });
  // The reader learns of the fault through its own listener; this one keeps a fault without reader from ending us.
  stream.on('error', () => undefined);
  return {
    stream,
    async leave() {
      stream.destroy();
      await reading;
    },
  };
}

interface PartHead {
  readonly name: string;
  readonly filename: string | undefined;
  readonly mimeType: string;
}

function parseHead(block: Buffer): PartHead {
  if (!isUtf8(block)) throw malformed('Headers of a part are not valid UTF-8.', 'malformed_multipart');
  const headers = new Map<string, string>();
  for (const line of block.toString('utf8').split('\r\n')) {
    if (line === '') continue;
    const colon = line.indexOf(':');
    if (colon < 1 || /[\r\n]/.test(line)) throw malformed('A header of a part is malformed.', 'malformed_multipart');
    if (line.includes('\0')) throw malformed('A header of a part contains U+0000.', 'malformed_multipart');
    headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  const disposition = parseDisposition(headers.get('content-disposition') ?? '');
  const name = disposition.get('name');
  if (name === undefined || name === '') throw malformed('A part has no name.', 'malformed_multipart');
  const starred = disposition.get('filename*');
  const filename = starred === undefined ? disposition.get('filename') : decodeStarred(starred);
  if (filename === '') throw unprocessable(name.slice(0, 100), 'the file has no name');
  const mimeType = (headers.get('content-type') ?? 'application/octet-stream').split(';', 1)[0]!.trim().toLowerCase();
  return { name, filename, mimeType };
}

const dispositionParameter =
  /; *([\w!#$%&'*+.^`|~-]+) *= *(?:"((?:[^"\\]|\\.)*)"(?= *(?:;|$))|"([^"]*)"|([^\s;"]*)) */y;

/** The parameters of `form-data; name="…"; filename="…"`. */
function parseDisposition(value: string): Map<string, string> {
  const parameters = new Map<string, string>();
  const type = /^form-data */i.exec(value);
  if (type === null) throw malformed('A part is not form-data.', 'malformed_multipart');
  let at = type[0].length;
  while (at < value.length) {
    dispositionParameter.lastIndex = at;
    const found = dispositionParameter.exec(value);
    if (found === null) throw malformed('A Content-Disposition is malformed.', 'malformed_multipart');
    const name = found[1]!.toLowerCase();
    if (parameters.has(name)) throw malformed('A Content-Disposition names a parameter twice.', 'malformed_multipart');
    parameters.set(name, unquote(found[2] ?? found[3] ?? found[4] ?? ''));
    at = dispositionParameter.lastIndex;
  }
  return parameters;
}

/** Browsers write `"` in a name as %22 and line breaks as %0D, %0A (WHATWG); older clients escape with a backslash. */
function unquote(text: string): string {
  return text.replaceAll('\\"', '"').replaceAll('%22', '"').replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}

/** `UTF-8''…` (RFC 5987). Wins over the plain name, as in the parsers that clients know. */
function decodeStarred(value: string): string {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(value);
  if (encoded === null) throw malformed('A starred file name is not UTF-8.', 'malformed_multipart');
  let name: string;
  try {
    name = decodeURIComponent(encoded[1]!);
  } catch {
    throw malformed('A starred file name is not valid.', 'malformed_multipart');
  }
  if (name.includes('\0')) throw malformed('A file name contains U+0000.', 'malformed_multipart');
  return name;
}
