/**
 * Many documents in one request: an action on them, and their content as one archive. Browser-safe. Neither is more
 * than its parts: whatever may not be done with one document is not done with it here.
 */
import { z } from 'zod';
import { contract, everyMember, IdParam, queryFlag } from '../../kernel/contract.ts';
import { Tags } from './fields-contract.ts';
import { filters, listQuery } from './shapes-contract.ts';

/** Documents that one request may name or find. */
export const bulkLimit = 1_000;

function refuseTwice(ids: readonly string[], context: z.RefinementCtx): void {
  const seen = new Set<string>();
  for (const [at, id] of ids.entries()) {
    if (seen.has(id)) context.addIssue({ code: 'custom', path: [at], message: 'stands here already' });
    seen.add(id);
  }
}

const Ids = z
  .array(IdParam)
  .min(1, 'at least one document')
  .max(bulkLimit, 'at most 1,000 documents')
  .superRefine(refuseTwice)
  .describe('1 to 1,000 different ids of documents');

/** As the query of the list, without its order and paging. In JSON `trashed` may be a boolean as well. */
export const BulkFilter = listQuery({
  ...filters,
  basket_id: IdParam.optional(),
  trashed: z.union([z.boolean(), queryFlag]).optional().describe('What is in the trash instead of what is not'),
});
export type BulkFilter = z.output<typeof BulkFilter>;

const TagAction = z
  .strictObject({ type: z.literal('tag'), add: Tags.optional(), remove: Tags.optional() })
  .superRefine(({ add = [], remove = [] }, context) => {
    if (add.length + remove.length === 0) {
      context.addIssue({ code: 'custom', path: ['add'], message: 'give tags to add or to remove' });
    }
    const both = add.find((tag) => remove.includes(tag));
    if (both !== undefined)
      context.addIssue({ code: 'custom', path: ['remove'], message: 'adds the same tag as well' });
  });

export const BulkAction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('move'), basket_id: IdParam.nullable().describe('null for no basket') }),
  TagAction,
  z.strictObject({ type: z.literal('trash') }),
  z.strictObject({ type: z.literal('restore') }),
]);
export type BulkAction = z.output<typeof BulkAction>;

export const BulkBody = z
  .strictObject({
    ids: Ids.optional(),
    filter: BulkFilter.optional(),
    action: BulkAction,
    dry_run: z.boolean().optional().describe('Says what would happen, and changes nothing'),
  })
  .superRefine(({ ids, filter, action }, context) => {
    if ((ids === undefined) === (filter === undefined)) {
      context.addIssue({ code: 'custom', path: ['ids'], message: 'give either ids or a filter' });
    }
    if (filter?.trashed !== undefined && filter.trashed !== (action.type === 'restore')) {
      const message = 'what is in the trash can be restored, and nothing else';
      context.addIssue({ code: 'custom', path: ['filter', 'trashed'], message });
    }
  });
export type BulkBody = z.output<typeof BulkBody>;

export const BulkItem = z.object({
  id: z.string(),
  status: z.enum(['done', 'failed']),
  filename: z.string().optional().describe('Where the caller may see the document'),
  moved_from: z.string().nullable().optional().describe('Of what was moved: the basket it was in, null for none'),
  code: z.string().optional().describe('Of what failed: the code that the request for this document alone would get'),
  title: z.string().optional().describe('Of what failed: why, for people'),
});
export type BulkItem = z.output<typeof BulkItem>;

export const BulkAnswer = z.object({
  done: z.number().int(),
  failed: z.number().int(),
  dry_run: z.boolean(),
  items: z.array(BulkItem),
});
export type BulkAnswer = z.output<typeof BulkAnswer>;

/** A form, which has no lists, gives the ids with commas between them. */
const ArchiveBody = z.strictObject({
  ids: z
    .union([
      Ids,
      z
        .string()
        .max(40_000)
        .transform((text) => text.split(','))
        .pipe(Ids),
    ])
    .describe('1 to 1,000 different ids of documents; in a form one text, with commas between them'),
});

export const bulkRoutes = contract({
  bulkDocuments: {
    method: 'POST',
    path: '/api/documents/bulk',
    summary: 'Move, tag, trash or restore many documents',
    description:
      'Up to 1,000 documents, named by `ids` or found by `filter`, which takes the fields of the list’s query (for ' +
      '`restore` it looks into the trash). Each is done or fails by itself, by the rules of the request for it alone; ' +
      '`items` has one result for each, in the order of the ids or newest first, with the codes `not_found` (unknown, ' +
      'not visible, or in the trash), `forbidden`, `filename_taken` and `too_many_tags`. A filter that finds ' +
      'more than 1,000 is 422 `too_many_documents`, with their number in `matching`, and nothing is done. A basket to ' +
      'move into that the caller may not see is 404 for the whole request, one that is only for reading 403.',
    access: everyMember,
    body: BulkBody,
    answers: { 200: BulkAnswer },
    errors: ['too_many_documents', 'filename_taken', 'too_many_tags'],
    creates: 'plain',
  },
  archiveDocuments: {
    method: 'POST',
    path: '/api/documents/archive',
    summary: 'Many documents as one ZIP archive',
    description:
      'The current versions, stored without compression, streamed; `Content-Length` is known from the start, so that ' +
      'what broke off is never taken for whole. Where one of the documents is not visible or in the trash the answer ' +
      'is 404, and nothing is sent. A browser may send it as a form, with the ticket cookie for this path.',
    access: everyMember,
    ticket: true,
    bodyKind: 'json_or_form',
    body: ArchiveBody,
    answers: { 200: 'binary' },
    errors: ['object_missing', 'object_damaged'],
  },
});
