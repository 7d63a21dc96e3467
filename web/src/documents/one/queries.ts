/**
 * What the page asks the server, under keys that begin with the document's id, and what becomes stale when something
 * was changed. The document is kept with the tag of its content, which a change sends along to be refused where
 * somebody was quicker.
 */
import { type QueryClient, queryOptions } from '@tanstack/react-query';
import type { Document, UpdateDocument } from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';

export interface Loaded {
  readonly document: Document;
  /** The ETag of its present content. */
  readonly etag: string | undefined;
}

async function loadedOf(answer: Response): Promise<Loaded> {
  return { document: (await answer.json()) as Document, etag: answer.headers.get('etag') ?? undefined };
}

export const documentKey = (id: string) => ['document', id] as const;
export const documentQuery = (id: string) =>
  queryOptions({
    queryKey: [...documentKey(id), 'itself'],
    queryFn: async ({ signal }): Promise<Loaded> =>
      loadedOf(await client.open('getDocument', { params: { id }, signal })),
  });

/** As the server has it now, whatever is remembered; what is shown stays as it is. */
export async function freshDocument(id: string): Promise<Loaded> {
  return loadedOf(await client.open('getDocument', { params: { id } }));
}

/** @throws ProblemError `etag_mismatch` where the content is another one than that of `etag` */
export async function changeDocument(id: string, body: UpdateDocument, etag: string | undefined): Promise<Loaded> {
  const headers = etag === undefined ? {} : { 'if-match': etag };
  return loadedOf(await client.open('updateDocument', { params: { id }, body, headers }));
}

/** Shows what the server answered, and has lists and history asked for again. */
export function tookChange(queries: QueryClient, loaded: Loaded): void {
  const { id } = loaded.document;
  queries.setQueryData(documentQuery(id).queryKey, loaded);
  listsChanged(queries);
  void queries.invalidateQueries({ queryKey: [...documentKey(id), 'history'] });
}

/** A change whose answer is not the document: everything of it is asked for again. */
export async function documentChanged(queries: QueryClient, id: string): Promise<void> {
  listsChanged(queries);
  await queries.invalidateQueries({
    queryKey: documentKey(id),
    // What was made of a version never changes.
    predicate: ({ queryKey }) => queryKey[2] !== 'shown',
  });
}

function listsChanged(queries: QueryClient): void {
  void queries.invalidateQueries({ predicate: ({ queryKey }) => /^(documents|baskets)/.test(String(queryKey[0])) });
}
