/**
 * The shapes that documents, versions, shares and baskets have in answers, bodies and queries. Browser-safe. A parameter
 * that a list does not know is refused.
 */
import { z } from 'zod';
import { IdParam, paging, queryFlag, Time } from '../../kernel/contract.ts';
import { text } from '../../kernel/shapes.ts';
import { Filename, Metadata, metadataLimits, OnConflict, Tags } from './fields-contract.ts';

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

/** Of an upload, beside `file`: the fields of the form, before or behind it. */
export const UploadForm = z.strictObject({
  basket_id: IdParam.optional().describe('The basket that the document goes into; without it, none'),
  metadata: Metadata.optional().describe('A JSON object'),
  on_conflict: OnConflict.optional().describe(
    'Where the name is taken: refuse (`error`, without it), a new version, or another name',
  ),
});
export type UploadForm = z.input<typeof UploadForm>;

export const UpdateDocument = z.strictObject({
  filename: Filename.optional(),
  basket_id: IdParam.nullable().optional(),
  metadata: Metadata.optional(),
  tags: Tags.optional(),
});
export type UpdateDocument = z.output<typeof UpdateDocument>;

const BasketName = text({ max: 200 }).transform((value) => value.normalize('NFC'));
const BasketDescription = text({ min: 0, max: 2_000, lines: true });

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

export const QueryText = z
  .string()
  .min(1)
  .max(200, 'at most 200 characters')
  .refine((value) => value.isWellFormed() && !value.includes('\u0000'), 'must be well-formed Unicode without NUL');
const Instant = z.iso.datetime({ offset: true }).max(40);
/** An instant, or a day in UTC, of which `edge` is meant: its first or its last millisecond. */
function queryTime(edge: 'T00:00:00.000Z' | 'T23:59:59.999Z') {
  const day = z.iso.date().transform((value) => `${value}${edge}`);
  return z
    .union([Instant.transform((value) => new Date(value).toISOString()), day])
    .describe('ISO 8601: an instant, or a day in UTC');
}

/** What narrows a list of documents. */
export const filters = {
  q: QueryText.optional().describe('Part of the name, taken literally, in either case'),
  owner: IdParam.optional(),
  mime_type: QueryText.optional(),
  tag: QueryText.optional(),
  created_from: queryTime('T00:00:00.000Z').optional(),
  created_to: queryTime('T23:59:59.999Z').optional(),
  trashed: queryFlag.optional().describe('What is in the trash instead of what is not'),
};
const listing = { ...paging, sort: z.enum(documentSorts).optional(), ...filters };

/** The named parameters, and `metadata.<key>` for as many keys as needed; anything else is refused. */
export function listQuery<S extends z.ZodRawShape>(shape: S) {
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
export const ListBasketDocuments = listQuery(listing);
