import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundaryOf, multipartParts } from './multipart.ts';
import type { Refusal } from './refusal.ts';

const limits = { parts: 10, fieldBytes: 1_000, fileBytes: 100_000 };
const boundary = 'x-y';

const form = (files: readonly Buffer[], ending = `--${boundary}--\r\n`) =>
  Buffer.concat([
    ...files.flatMap((content, index) => [
      Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="f${index}"; filename="n${index}"\r\n\r\n`),
      content,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(ending),
  ]);

/** The body in chunks of these sizes, over and over. */
function chunked(body: Buffer, sizes: readonly number[]): Readable {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < body.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    chunks.push(body.subarray(at, at + size));
    at += size;
  }
  return Readable.from(chunks, { objectMode: false });
}

async function read(source: Readable): Promise<Buffer[]> {
  const contents: Buffer[] = [];
  for await (const part of multipartParts(source, boundary, limits)) {
    contents.push(part.kind === 'file' ? await buffer(part.stream) : Buffer.from(part.value));
  }
  return contents;
}

/** Bytes that are mostly parts of boundaries: where a parser goes wrong. */
const hostile = fc
  .array(fc.constantFrom('\r', '\n', '-', '--', `\r\n--${boundary.slice(0, 2)}`, '\r\n--', 'x-', 'a', '\0'), {
    maxLength: 40,
  })
  .map((pieces) => Buffer.from(pieces.join('')))
  .filter(
    (content) => !Buffer.concat([Buffer.from('\r\n'), content, Buffer.from('\r\n')]).includes(`\r\n--${boundary}`),
  );

test('gives every content byte for byte, however the body is cut into chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(hostile, fc.uint8Array({ maxLength: 300 }).map(Buffer.from)), { maxLength: 4, minLength: 1 }),
      fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 5 }),
      async (files, sizes) => {
        fc.pre(files.every((content) => !content.includes(`--${boundary}`)));
        const contents = await read(chunked(form(files), sizes));
        expect(contents.map((content) => content.toString('hex'))).toEqual(
          files.map((content) => content.toString('hex')),
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('a body that breaks off anywhere is an error, never a shorter file', async () => {
  const body = form([Buffer.from('first content'), Buffer.from('second')]);
  for (let length = 0; length < body.length - 2; length += 1) {
    const error = await read(chunked(body.subarray(0, length), [7])).catch((thrown: unknown) => thrown);
    expect((error as Refusal).status, `cut at ${length}`).toBe(400);
  }
});

test('what a handler does not read is skipped, and what it gives up half-way too', async () => {
  const body = form([Buffer.alloc(50_000, 'a'), Buffer.alloc(50_000, 'b'), Buffer.from('last')]);
  const names: string[] = [];
  for await (const part of multipartParts(chunked(body, [1_000]), boundary, limits)) {
    names.push(part.name);
    if (part.kind !== 'file') continue;
    if (part.name === 'f1') {
      for await (const _ of part.stream) break;
    }
    if (part.name === 'f2') expect((await buffer(part.stream)).toString()).toBe('last');
  }
  expect(names).toEqual(['f0', 'f1', 'f2']);
});

test('a source that fails fails the file that is being read', async () => {
  const source = new Readable({ read() {} });
  source.push(form([Buffer.from('never whole')]).subarray(0, 70));
  const reading = read(source);
  setTimeout(() => source.destroy(new Error('gone')), 20);
  await expect(reading).rejects.toThrow('gone');
});

test.each([
  ['multipart/form-data; boundary=abc', 'abc'],
  ['multipart/form-data; boundary="a b:c"', 'a b:c'],
  ['Multipart/Form-Data; charset=utf-8; Boundary=abc', 'abc'],
])('boundary of %s', (type, expected) => {
  expect(boundaryOf(type)).toBe(expected);
});
test.each([
  undefined,
  'multipart/form-data',
  'multipart/form-data; boundary=',
  `multipart/form-data; boundary=${'a'.repeat(71)}`,
  'multipart/form-data; boundary="a "',
  'multipart/form-datax; boundary=a',
  'multipart/form-data; boundary=a\u00e9',
])('%s is refused', (type) => {
  expect(() => boundaryOf(type)).toThrow();
});
