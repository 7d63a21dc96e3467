/**
 * Documents and baskets over HTTP: routes, access and codes. Browser-safe. The shapes are in `shapes-contract.ts`, what
 * is done with many at once in `bulk-contract.ts`, the resumable uploads in `upload-contract.ts`.
 */
import { z } from 'zod';
import { contract, everyMember, IdParam, listOf, member, paging, queryFlag } from '../../kernel/contract.ts';
import { bulkRoutes } from './bulk-contract.ts';
import {
  Access,
  Basket,
  CreateBasket,
  Document,
  DocumentSettings,
  DocumentVersion,
  HistoryEntry,
  ListBasketDocuments,
  ListDocuments,
  QueryText,
  Share,
  UpdateBasket,
  UpdateDocument,
  UploadForm,
} from './shapes-contract.ts';

export * from './bulk-contract.ts';
export * from './fields-contract.ts';
export * from './shapes-contract.ts';

const params = z.object({ id: IdParam });
const versionParams = z.object({ id: IdParam, n: IdParam });
const shareParams = z.object({ id: IdParam, grantee: IdParam });
const plainPage = z.strictObject(paging);
const version = z.string().max(20).optional();
const pageOf = z
  .string()
  .regex(/^[1-9][0-9]{0,5}$/, 'a whole number from 1')
  .transform(Number)
  .optional();
/** The answer where something is still being made. */
export const Pending = z.object({ status: z.literal('pending') });
const shownErrors = ['preview_unsupported', 'preview_failed', 'object_missing', 'object_damaged'] as const;
const downloadQuery = z.strictObject({ version: z.string().max(20).optional() });

const documentRoutes = contract({
  uploadDocument: {
    method: 'POST',
    path: '/api/documents/upload',
    summary: 'Upload a document',
    description:
      'Exactly one part `file`, and the other parts before or after it. The answer is given when the bytes and the row ' +
      'are durable.',
    access: everyMember,
    bodyKind: 'multipart',
    body: UploadForm,
    answers: { 201: Document },
    errors: ['filename_taken', 'file_too_large', 'quota_exceeded', 'type_denied', 'upload_incomplete'],
    creates: 'plain',
  },
  listDocuments: {
    method: 'GET',
    path: '/api/documents',
    summary: 'Documents that the caller may see',
    description: '`metadata.<key>=<value>` filters by a text, number or boolean at the top of the metadata.',
    access: everyMember,
    query: ListDocuments,
    answers: { 200: listOf(Document) },
  },
  getDocument: {
    method: 'GET',
    path: '/api/documents/{id}',
    summary: 'One document',
    access: everyMember,
    params,
    answers: { 200: Document },
  },
  updateDocument: {
    method: 'PATCH',
    path: '/api/documents/{id}',
    summary: 'Rename, move, or change metadata and tags',
    description: 'Metadata and tags are replaced as a whole. Honours If-Match with the ETag of the download.',
    access: everyMember,
    params,
    body: UpdateDocument,
    answers: { 200: Document },
    errors: ['filename_taken', 'etag_mismatch'],
  },
  deleteDocument: {
    method: 'DELETE',
    path: '/api/documents/{id}',
    summary: 'Put a document into the trash, or purge it',
    description: 'With `purge=true` the document is gone at once, from the trash too: for its owner and HR admins.',
    access: everyMember,
    params,
    query: z.strictObject({ purge: queryFlag.optional() }),
    answers: { 204: null },
    errors: ['etag_mismatch'],
  },
  restoreDocument: {
    method: 'POST',
    path: '/api/documents/{id}/restore',
    summary: 'Take a document out of the trash',
    access: everyMember,
    params,
    answers: { 200: Document },
    errors: ['filename_taken'],
  },
  // Before the GET of the same path, so that no HEAD is derived from it.
  headDocumentContent: {
    method: 'HEAD',
    path: '/api/documents/{id}/download',
    summary: 'The headers of a download',
    access: everyMember,
    params,
    query: downloadQuery,
    answers: { 200: null, 304: null },
    errors: ['etag_mismatch'],
  },
  downloadDocument: {
    method: 'GET',
    path: '/api/documents/{id}/download',
    summary: 'The bytes of a document',
    description:
      'Honours Range (one range; several are answered with the whole), If-Range, If-Match and If-None-Match. ' +
      '`version` chooses an earlier version. Where the operator has chosen it, the answer is 302 to an address at ' +
      'which the storage itself serves the whole document for a short time, to whoever has the address.',
    access: everyMember,
    ticket: true,
    params,
    query: downloadQuery,
    answers: { 200: 'binary', 206: 'binary', 302: null, 304: null },
    errors: ['etag_mismatch', 'range_not_satisfiable', 'object_missing', 'object_damaged'],
  },
  previewDocument: {
    method: 'GET',
    path: '/api/documents/{id}/preview',
    summary: 'What a document looks like',
    description:
      'WebP pictures of the first pages of a PDF (`page`) and of images; plain text in UTF-8 of text, mail and Word ' +
      'documents. Made by us after the upload, never a byte of the file under a type that a browser runs. Headers say ' +
      'the kind (`Strongroom-Kind`: pdf, image, text, mail, docx), the pages that the file has and those that can be ' +
      'shown (`Strongroom-Pages`, `Strongroom-Pages-Shown`), the encoding of a text (`Strongroom-Encoding`), and ' +
      'whether there is more text than is kept (`Strongroom-Truncated`). 202 with Retry-After while it is being made; ' +
      '404 `preview_unsupported` or `preview_failed`, with a `reason`, where there is none.',
    access: everyMember,
    ticket: true,
    params,
    query: z.strictObject({ version, page: pageOf }),
    answers: { 200: 'binary', 202: Pending, 304: null },
    errors: shownErrors,
  },
  getThumbnail: {
    method: 'GET',
    path: '/api/documents/{id}/thumbnail',
    summary: 'A small picture of a document',
    description: 'WebP, at most 320 pixels an edge: of PDFs and images. Else as the preview.',
    access: everyMember,
    ticket: true,
    params,
    query: z.strictObject({ version }),
    answers: { 200: 'binary', 202: Pending, 304: null },
    errors: shownErrors,
  },
  getText: {
    method: 'GET',
    path: '/api/documents/{id}/text',
    summary: 'The text of a document',
    description:
      'Plain text in UTF-8, at most 4 MiB; pages of a PDF are apart by form feeds. Of images there is none. Else as the ' +
      'preview.',
    access: everyMember,
    params,
    query: z.strictObject({ version }),
    answers: { 200: 'binary', 202: Pending, 304: null },
    errors: shownErrors,
  },
  listVersions: {
    method: 'GET',
    path: '/api/documents/{id}/versions',
    summary: 'Versions, newest first',
    access: everyMember,
    params,
    query: plainPage,
    answers: { 200: listOf(DocumentVersion) },
  },
  addVersion: {
    method: 'POST',
    path: '/api/documents/{id}/versions',
    summary: 'Upload a new version',
    description: 'One part, `file`; its name is not used. Honours If-Match.',
    access: everyMember,
    params,
    bodyKind: 'multipart',
    body: z.strictObject({}),
    answers: { 201: Document },
    errors: ['file_too_large', 'quota_exceeded', 'type_denied', 'upload_incomplete', 'etag_mismatch'],
    creates: 'plain',
  },
  restoreVersion: {
    method: 'POST',
    path: '/api/documents/{id}/versions/{n}/restore',
    summary: 'Make an earlier version the newest',
    access: everyMember,
    params: versionParams,
    creates: 'plain',
    answers: { 200: Document },
    errors: ['quota_exceeded'],
  },
  listHistory: {
    method: 'GET',
    path: '/api/documents/{id}/history',
    summary: 'Who did what with a document, newest first',
    access: everyMember,
    params,
    query: plainPage,
    answers: { 200: listOf(HistoryEntry) },
  },
  getDocumentSettings: {
    method: 'GET',
    path: '/api/document-settings',
    summary: 'What the company refuses to keep',
    access: everyMember,
    answers: { 200: DocumentSettings },
  },
  setDocumentSettings: {
    method: 'PUT',
    path: '/api/document-settings',
    summary: 'Set what the company refuses to keep',
    access: member('MANAGE_COMPANY_USERS'),
    body: DocumentSettings,
    answers: { 200: DocumentSettings },
  },
});

/** The three routes of shares, the same on documents and on baskets. */
const shareRoutes = contract({
  listDocumentShares: {
    method: 'GET',
    path: '/api/documents/{id}/shares',
    summary: 'With whom a document is shared',
    access: everyMember,
    params,
    answers: { 200: listOf(Share) },
  },
  putDocumentShare: {
    method: 'PUT',
    path: '/api/documents/{id}/shares/{grantee}',
    summary: 'Share a document with a user or a role',
    description: 'By its owner or an HR admin, with whom they can see.',
    access: everyMember,
    params: shareParams,
    body: z.strictObject({ access: Access }),
    answers: { 200: Share },
  },
  deleteDocumentShare: {
    method: 'DELETE',
    path: '/api/documents/{id}/shares/{grantee}',
    summary: 'Take a share back',
    access: everyMember,
    params: shareParams,
    answers: { 204: null },
  },
  listBasketShares: {
    method: 'GET',
    path: '/api/baskets/{id}/shares',
    summary: 'With whom a basket is shared',
    access: everyMember,
    params,
    answers: { 200: listOf(Share) },
  },
  putBasketShare: {
    method: 'PUT',
    path: '/api/baskets/{id}/shares/{grantee}',
    summary: 'Share a basket and all it holds with a user or a role',
    description: 'By its owner or an HR admin, with whom they can see. Write includes uploading into it.',
    access: everyMember,
    params: shareParams,
    body: z.strictObject({ access: Access }),
    answers: { 200: Share },
  },
  deleteBasketShare: {
    method: 'DELETE',
    path: '/api/baskets/{id}/shares/{grantee}',
    summary: 'Take a share of a basket back',
    access: everyMember,
    params: shareParams,
    answers: { 204: null },
  },
});

const basketRoutes = contract({
  listBaskets: {
    method: 'GET',
    path: '/api/baskets',
    summary: 'Baskets that the caller may see',
    access: everyMember,
    query: z.strictObject({
      ...paging,
      q: QueryText.optional(),
      sort: z.enum(['created_at', '-created_at']).optional(),
    }),
    answers: { 200: listOf(Basket) },
  },
  createBasket: {
    method: 'POST',
    path: '/api/baskets',
    summary: 'Make a basket',
    access: member('UPLOAD_DOCUMENTS'),
    body: CreateBasket,
    answers: { 201: Basket },
    errors: ['name_taken'],
    creates: 'plain',
  },
  getBasket: {
    method: 'GET',
    path: '/api/baskets/{id}',
    summary: 'One basket',
    access: everyMember,
    params,
    answers: { 200: Basket },
  },
  updateBasket: {
    method: 'PATCH',
    path: '/api/baskets/{id}',
    summary: 'Rename or describe a basket',
    access: everyMember,
    params,
    body: UpdateBasket,
    answers: { 200: Basket },
    errors: ['name_taken'],
  },
  deleteBasket: {
    method: 'DELETE',
    path: '/api/baskets/{id}',
    summary: 'Delete an empty basket',
    access: everyMember,
    params,
    answers: { 204: null },
    errors: ['basket_not_empty'],
  },
  listBasketDocuments: {
    method: 'GET',
    path: '/api/baskets/{id}/documents',
    summary: 'Documents in a basket that the caller may see',
    access: everyMember,
    params,
    query: ListBasketDocuments,
    answers: { 200: listOf(Document) },
  },
});

export const documentsContract = contract({ ...documentRoutes, ...bulkRoutes, ...shareRoutes, ...basketRoutes });
