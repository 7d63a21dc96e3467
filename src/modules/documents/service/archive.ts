/**
 * Many documents as one archive: the current versions of what the caller may read, streamed.
 *
 * - All or nothing before the first byte: one document that is not visible or in the trash is 404 for the whole, one
 *   whose content is not there 503. What turns out to be damaged on the way breaks the stream off; the length that was
 *   announced is then never reached, and the archive has no directory.
 * - Each document's download is in the audit trail before its first byte goes out.
 * - In the memory of a chunk, one object open at a time. Whoever goes away ends it.
 */
import { Readable } from 'node:stream';
import { notFound } from '../../../kernel/errors.ts';
import { slicesOf } from '../../../kernel/slices.ts';
import { archiveNames, safeName } from '../archive-names.ts';
import { contentDisposition, inertHeaders } from '../content-headers.ts';
import { loadBasket } from '../repository/baskets.ts';
import { currentVersions, findDocuments, judgedDocument, type LoadedDocument } from '../repository/documents.ts';
import type { VersionTable } from '../tables.ts';
import { type ZipMember, zipBytes, zipLength } from '../zip.ts';
import type { Acting, Parts } from './acting.ts';
import { contentStream, noteDownload, requireWhole } from './download.ts';

export interface Archive {
  readonly headers: Record<string, string>;
  readonly body: Readable;
}

export interface Archives {
  /** @throws not_found, unavailable */
  open(acting: Acting, ids: readonly string[]): Promise<Archive>;
}

/** Objects that are looked at together before the first byte. */
const lookedAtOnce = 16;
/** Bytes that are read before they are taken. */
const readAhead = 256 * 1024;
/** Documents whose rows in the audit trail are written together. */
const notedAtOnce = 50;

interface Content {
  readonly document: LoadedDocument;
  readonly version: VersionTable;
  readonly name: string;
}

export function createArchives(parts: Parts): Archives {
  return {
    async open(acting, ids) {
      const contents = await contentsOf(acting, ids);
      for (const some of slicesOf(contents, lookedAtOnce)) {
        await Promise.all(some.map(({ version }) => requireWhole(parts, acting, version)));
      }
      const name = `${await titleOf(acting, contents)}.zip`;
      const length = zipLength(contents.map(factsOf));
      let current: Readable | undefined;
      const members = membersOf(parts, acting, contents, (stream) => {
        current = stream;
      });
      const body = Readable.from(zipBytes(members), { objectMode: false, highWaterMark: readAhead });
      // The generators end at the next chunk; a store that does not give it is not waited for.
      body.once('close', () => current?.destroy());
      return { headers: headersOf(name, length), body };
    },
  };
}

/** In the order of `ids`. @throws not_found where one of them is not to be seen */
async function contentsOf({ tenant, viewer }: Acting, ids: readonly string[]): Promise<Content[]> {
  const source = tenant.db.read;
  const rows = await findDocuments(source, viewer, ids);
  const documents = ids.map((id) => judgedDocument(viewer, rows.get(id), { level: 'read' }));
  const versions = await currentVersions(source, ids);
  const names = archiveNames(documents.map(({ filename }) => filename));
  return documents.map((document, index) => {
    const version = versions.get(document.id);
    // Purged between the two looks.
    if (version === undefined) throw notFound();
    return { document, version, name: names[index]! };
  });
}

const factsOf = ({ version, name }: Content) => ({
  name,
  size: version.size_bytes,
  modified: new Date(version.created_at),
});

/** Written down before they are opened. */
async function* membersOf(
  parts: Parts,
  acting: Acting,
  contents: readonly Content[],
  onOpen: (stream: Readable) => void,
): AsyncGenerator<ZipMember> {
  for (const some of slicesOf(contents, notedAtOnce)) {
    await Promise.all(some.map(({ version }) => noteDownload(parts, acting, version, { via: 'archive' })));
    for (const content of some) {
      const open = async () => {
        const stream = await contentStream(parts, acting, content.version, undefined);
        onOpen(stream);
        return stream;
      };
      yield { ...factsOf(content), open };
    }
  }
}

/** After the basket that all of them are in, where the caller may know its name; else after the day. */
async function titleOf({ tenant, viewer }: Acting, contents: readonly Content[]): Promise<string> {
  const baskets = new Set(contents.map(({ document }) => document.basket_id));
  const [basket = ''] = baskets;
  if (baskets.size === 1 && basket !== '') {
    const found = await loadBasket(tenant.db.read, viewer, basket, 'read').catch(() => undefined);
    if (found !== undefined) return safeName(found.name);
  }
  return `documents ${tenant.clock.iso().slice(0, 10)}`;
}

function headersOf(name: string, length: number): Record<string, string> {
  return {
    'content-type': 'application/zip',
    'content-disposition': contentDisposition(name),
    'content-length': String(length),
    ...inertHeaders,
  };
}
