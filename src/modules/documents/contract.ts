/**
 * Documents and baskets over HTTP: shapes, routes, access and codes. Browser-safe.
 *
 * Rules that shapes state: a filename is one name, kept as written but for NFC normalisation; metadata is a JSON
 * object of bounded size and depth; a parameter that a list does not know is refused. `upload-contract.ts` has the
 * resumable uploads.
 */
import { z } from 'zod';
import { contract, everyMember, IdParam, listOf, member, paging, queryFlag, Time } from '../../kernel/contract.ts';
import { codePoints, text } from '../../kernel/shapes.ts';

// --- Texts -----------------------------------------------------------------------------------------------------------

const override = /[\u202a-\u202e\u2066-\u2069]/;
const visible = /[^\p{Z}\p{C}\u115f\u1160\u2800\u3164\uffa0\s]/u;

/**
 * Why this may not be the name of a document, or undefined where it may. Separators are refused rather than stripped,
 * so that what is shown is what was sent; quotes, tabs and line breaks are fine, and shown escaped.
 */
export function filenameProblem(value: string): string | undefined {
  if (value.length > 510) return 'at most 255 characters';
  if (!value.isWellFormed()) return 'not well-formed Unicode: a surrogate stands alone';
  if (value.includes('\u0000')) return 'must not contain NUL';
  if (/[/\\]/.test(value)) return 'a name, not a path: no slash and no backslash';
  if (override.test(value)) return 'must not change the direction of the text around it';
  if (!visible.test(value)) return 'must contain something visible';
  if (/^\.+$/.test(value)) return 'must not consist of dots';
  return codePoints(value.normalize('NFC')) > 255 ? 'at most 255 characters' : undefined;
}

/** A filename, given on in the normal form in which it is stored and compared. */
export const Filename = z
  .string()
  .superRefine((value, context) => {
    const message = filenameProblem(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  })
  .transform((value) => value.normalize('NFC'));

export const metadataLimits = { bytes: 16_384, depth: 6, members: 200, key: 100 } as const;

/** Keys that a document's own fields have, or that would confuse programs that read the object. */
export const reservedMetadataKeys: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
  'id',
  'owner',
  'owner_id',
  'user_id',
  'tenant_id',
  'company_id',
  'basket_id',
  'filename',
  'mime_type',
  'size_bytes',
  'sha256',
  'version',
  'version_id',
  'created_at',
  'updated_at',
  'trashed_at',
  'tags',
]);

/** Why this JSON value may not stand in metadata, or undefined where it may. */
function metadataProblem(value: unknown, depth: number, count: { members: number }): string | undefined {
  if (typeof value === 'string') {
    if (!value.isWellFormed() || value.includes('\u0000')) return 'texts must be well-formed Unicode without NUL';
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth >= metadataLimits.depth) return `at most ${metadataLimits.depth} levels deep`;
  for (const [key, member] of Object.entries(value)) {
    count.members += 1;
    if (count.members > metadataLimits.members) return `at most ${metadataLimits.members} members`;
    const problem =
      (Array.isArray(value) ? undefined : keyProblem(key, depth)) ?? metadataProblem(member, depth + 1, count);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function keyProblem(key: string, depth: number): string | undefined {
  if (key.length > metadataLimits.key) return `keys have at most ${metadataLimits.key} characters`;
  if (key.trim() === '' || !key.isWellFormed() || key.includes('\u0000')) return 'a key must be readable text';
  const reserved = depth === 0 ? reservedMetadataKeys.has(key) : key === '__proto__';
  return reserved ? `the key ${JSON.stringify(key)} is reserved` : undefined;
}

/** Free facts about a document: a JSON object. Text, numbers and booleans at its top can be filtered by. */
export const Metadata = z.record(z.string(), z.unknown()).superRefine((value, context) => {
  const problem = metadataProblem(value, 0, { members: 0 });
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  else if (new TextEncoder().encode(JSON.stringify(value)).length > metadataLimits.bytes) {
    context.addIssue({ code: 'custom', message: `at most ${metadataLimits.bytes} bytes of JSON` });
  }
});

const Tag = text({ max: 64 }).transform((value) => value.normalize('NFC'));
export const Tags = z
  .array(Tag)
  .max(50, 'at most 50 tags')
  .transform((tags) => [...new Set(tags)]);

const BasketName = text({ max: 200 }).transform((value) => value.normalize('NFC'));
const BasketDescription = text({ min: 0, max: 2_000, lines: true });

export const onConflictChoices = ['error', 'version', 'rename'] as const;
/** What to do where the owner has a document of this name in this basket already. */
export const OnConflict = z.enum(onConflictChoices);

// --- Answers ---------------------------------------------------------------------------------------------------------

const Person = z.object({ id: z.string(), full_name: z.string() });

export const Document = z.object({
  id: z.string(),
  filename: z.string(),
  mime_type: z.string(),
  size_bytes: z.number().int(),
  sha256: z.string(),
  version: z.number().int().describe('Number of the current version, from 1'),
  basket_id: z.string().nullable(),
  owner: Person,
  metadata: z.record(z.string(), z.unknown()),
  tags: z.array(z.string()),
  created_at: Time,
  updated_at: Time,
  trashed_at: Time.nullable(),
});
export type Document = z.output<typeof Document>;

export const DocumentVersion = z.object({
  id: z.string().describe('Also the ETag of its content'),
  version: z.number().int(),
  mime_type: z.string(),
  size_bytes: z.number().int(),
  sha256: z.string(),
  created_at: Time,
  created_by: Person,
  restored_from: z.number().int().nullable(),
  current: z.boolean(),
});
export type DocumentVersion = z.output<typeof DocumentVersion>;

export const HistoryEntry = z.object({
  id: z.string(),
  at: Time,
  action: z.string(),
  actor: z.object({ id: z.string(), full_name: z.string().nullable() }),
  details: z.record(z.string(), z.unknown()),
});
export type HistoryEntry = z.output<typeof HistoryEntry>;

export const Access = z.enum(['read', 'write']);
export const Share = z.object({
  grantee: z.string().describe('Id of a user, or name of a role'),
  access: Access,
  shared_by: z.string().describe('Id of the user who gave it'),
  created_at: Time,
});
export type Share = z.output<typeof Share>;

export const Basket = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  owner: Person,
  access: z.enum(['read', 'write', 'manage']).describe('What the caller may do in it'),
  created_at: Time,
  updated_at: Time,
});
export type Basket = z.output<typeof Basket>;

const DeniedType = z
  .string()
  .max(130)
  .regex(
    /^(\.[a-z0-9][a-z0-9.+_-]{0,31}|[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/(\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,63}))$/,
    'an ending (.exe), a type (application/pdf) or a family (video/*), in lower case',
  );
/** What a company refuses to keep. */
export const DocumentSettings = z.strictObject({ denied_types: z.array(DeniedType).max(200) });
export type DocumentSettings = z.output<typeof DocumentSettings>;

// --- Bodies and queries ----------------------------------------------------------------------------------------------

export const UpdateDocument = z.strictObject({
  filename: Filename.optional(),
  basket_id: IdParam.nullable().optional(),
  metadata: Metadata.optional(),
  tags: Tags.optional(),
});
export type UpdateDocument = z.output<typeof UpdateDocument>;

export const CreateBasket = z.strictObject({ name: BasketName, description: BasketDescription.optional() });
export type CreateBasket = z.output<typeof CreateBasket>;
export const UpdateBasket = z.strictObject({ name: BasketName.optional(), description: BasketDescription.optional() });
export type UpdateBasket = z.output<typeof UpdateBasket>;

export const documentSorts = [
  'created_at',
  '-created_at',
  'updated_at',
  '-updated_at',
  'filename',
  '-filename',
  'size_bytes',
  '-size_bytes',
] as const;
export type DocumentSort = (typeof documentSorts)[number];

const QueryText = z
  .string()
  .min(1)
  .max(200, 'at most 200 characters')
  .refine((value) => value.isWellFormed() && !value.includes('\u0000'), 'must be well-formed Unicode without NUL');
const QueryTime = z.iso
  .datetime({ offset: true })
  .max(40)
  .transform((value) => new Date(value).toISOString())
  .describe('ISO 8601');

const listing = {
  ...paging,
  sort: z.enum(documentSorts).optional(),
  q: QueryText.optional().describe('Part of the name, taken literally, in either case'),
  owner: IdParam.optional(),
  mime_type: QueryText.optional(),
  tag: QueryText.optional(),
  created_from: QueryTime.optional(),
  created_to: QueryTime.optional(),
  trashed: queryFlag.optional().describe('What is in the trash instead of what is not'),
};

/** The named parameters, and `metadata.<key>` for as many keys as needed; anything else is refused. */
function listQuery<S extends z.ZodRawShape>(shape: S) {
  return z
    .object(shape)
    .catchall(QueryText)
    .superRefine((query, context) => {
      let filters = 0;
      for (const key of Object.keys(query)) {
        if (Object.hasOwn(shape, key)) continue;
        filters += 1;
        const known =
          /^metadata\../s.test(key) && key.length <= 'metadata.'.length + metadataLimits.key && filters <= 10;
        if (!known) context.addIssue({ code: 'custom', path: [key], message: 'is not a parameter of this list' });
      }
    });
}

export const ListDocuments = listQuery({ ...listing, basket_id: IdParam.optional() });
export type ListDocuments = z.output<typeof ListDocuments>;
const ListBasketDocuments = listQuery(listing);

const params = z.object({ id: IdParam });
const versionParams = z.object({ id: IdParam, n: IdParam });
const shareParams = z.object({ id: IdParam, grantee: IdParam });
const plainPage = z.strictObject(paging);
const downloadQuery = z.strictObject({ version: z.string().max(20).optional() });

// --- Routes ----------------------------------------------------------------------------------------------------------

const documentRoutes = contract({
  uploadDocument: {
    method: 'POST',
    path: '/api/documents/upload',
    summary: 'Upload a document',
    description:
      'Parts: `file` (exactly one), and before or after it `basket_id`, `metadata` (a JSON object) and `on_conflict` ' +
      '(`error`, `version` or `rename`). The answer is given when the bytes and the row are durable.',
    access: everyMember,
    bodyKind: 'multipart',
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
      '`version` chooses an earlier version.',
    access: everyMember,
    ticket: true,
    params,
    query: downloadQuery,
    answers: { 200: 'binary', 206: 'binary', 304: null },
    errors: ['etag_mismatch', 'range_not_satisfiable', 'object_missing', 'object_damaged'],
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

export const documentsContract = contract({ ...documentRoutes, ...shareRoutes, ...basketRoutes });
