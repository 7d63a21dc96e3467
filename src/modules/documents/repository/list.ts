/**
 * The list of documents: one statement a page, whatever the number of documents. Its text depends on the order, the
 * kinds of filter and the role alone, so it is compiled once for each such shape.
 *
 * Who sees everything reads along the index of the order. Who sees a part gets one branch for each reason why
 * something may be seen (own, lower ranks, shares), each cut at a page, and the first page of their union.
 */
import { type CompiledQuery, type RawBuilder, sql } from 'kysely';
import type { TenantReader } from '../../../kernel/database/database.ts';
import { type Prepared, prepare } from '../../../kernel/database/prepared.ts';
import type { DocumentSort } from '../contract.ts';
import type { DocumentTable } from '../tables.ts';
import { type Viewer, visibleBranches } from '../visibility.ts';

export interface DocumentFilter {
  readonly trashed: boolean;
  /** Part of the name, literally. */
  readonly q?: string | undefined;
  readonly owner?: string | undefined;
  readonly basket?: string | undefined;
  readonly mimeType?: string | undefined;
  readonly tag?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly metadata: readonly (readonly [key: string, value: string])[];
}

export interface DocumentPage {
  readonly filter: DocumentFilter;
  readonly sort: DocumentSort;
  readonly limit: number;
  /** Value of the order's column and id of the last document of the page before. */
  readonly after?: readonly [string | number, string] | undefined;
}

export type ListedDocument = Omit<DocumentTable, 'version_id'> & { readonly owner_name: string };

type Values = Record<string, unknown>;
type Slots = (name: string) => unknown;

const remembered = 500;
const pages = new Map<string, Prepared<TenantReader, Values, ListedDocument>>();
const counts = new Map<string, Prepared<TenantReader, Values, { n: number }>>();

const columns = sql`d.id, d.owner_id, d.basket_id, d.filename, d.version, d.mime_type, d.size_bytes, d.sha256, d.metadata,
  d.tags, d.created_at, d.updated_at, d.trashed_at, u.full_name as owner_name`;

/** One page of what the viewer sees. */
export async function listDocuments(
  source: TenantReader,
  viewer: Viewer,
  page: DocumentPage,
): Promise<readonly ListedDocument[]> {
  const shape = shapeOf(viewer, page.filter) + page.sort + (page.after === undefined ? '' : '+');
  const run = known(pages, shape, () => pageStatement(viewer, page));
  return (await run(source, valuesOf(viewer, page.filter, page))).rows;
}

/** How many documents the viewer sees with this filter. */
export async function countDocuments(source: TenantReader, viewer: Viewer, filter: DocumentFilter): Promise<number> {
  const run = known(counts, shapeOf(viewer, filter), () => countStatement(viewer, filter));
  return Number((await run(source, valuesOf(viewer, filter))).rows[0]!.n);
}

function known<T>(map: Map<string, T>, shape: string, make: () => T): T {
  let one = map.get(shape);
  if (one === undefined) {
    if (map.size >= remembered) map.clear();
    one = make();
    map.set(shape, one);
  }
  return one;
}

/** Everything that the text of the statement depends on. */
function shapeOf(viewer: Viewer, filter: DocumentFilter): string {
  const { metadata, trashed, ...rest } = filter;
  const present = Object.entries(rest)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name);
  return `${viewer.role}|${viewer.lower.join()}|${trashed}|${present.sort().join()}|${metadata.length}|`;
}

function valuesOf(viewer: Viewer, filter: DocumentFilter, page?: DocumentPage): Values {
  const values: Values = {
    viewer: viewer.id,
    role: viewer.role,
    q: filter.q === undefined ? undefined : `%${filter.q.toLowerCase().replace(/[\\%_]/g, '\\$&')}%`,
    owner: filter.owner,
    basket: filter.basket,
    mimeType: filter.mimeType,
    tag: filter.tag,
    from: filter.from,
    to: filter.to,
    limit: page?.limit,
    after: page?.after?.[0],
    afterId: page?.after?.[1],
  };
  for (const [index, [key, value]] of filter.metadata.entries()) {
    values[`key${index}`] = key;
    values[`value${index}`] = value;
  }
  return values;
}

function conditions(filter: DocumentFilter, slot: Slots): RawBuilder<unknown>[] {
  const all: RawBuilder<unknown>[] = [filter.trashed ? sql`d.trashed_at is not null` : sql`d.trashed_at is null`];
  if (filter.q !== undefined) all.push(sql`lower(d.filename) like ${slot('q')} escape '\\'`);
  if (filter.owner !== undefined) all.push(sql`d.owner_id = ${slot('owner')}`);
  if (filter.basket !== undefined) all.push(sql`d.basket_id = ${slot('basket')}`);
  if (filter.mimeType !== undefined) all.push(sql`d.mime_type = ${slot('mimeType')}`);
  if (filter.from !== undefined) all.push(sql`d.created_at >= ${slot('from')}`);
  if (filter.to !== undefined) all.push(sql`d.created_at <= ${slot('to')}`);
  if (filter.tag !== undefined) {
    all.push(sql`d.id in (select document_id from document_tags where tag = ${slot('tag')})`);
  }
  for (const index of filter.metadata.keys()) {
    all.push(sql`d.id in (select document_id from document_metadata
      where key = ${slot(`key${index}`)} and value = ${slot(`value${index}`)})`);
  }
  return all;
}

function where(all: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql.join([...all], sql` and `);
}

function pageStatement(viewer: Viewer, page: DocumentPage) {
  const descending = page.sort.startsWith('-');
  const column = sql.ref(`d.${page.sort.replace('-', '')}`);
  const direction = descending ? sql`desc` : sql`asc`;
  return prepare<TenantReader, Values, ListedDocument>((source, slotOf) => {
    const slot: Slots = slotOf;
    const filters = conditions(page.filter, slot);
    if (page.after !== undefined) {
      const beyond = descending ? sql`<` : sql`>`;
      filters.push(sql`(${column}, d.id) ${beyond} (${slot('after')}, ${slot('afterId')})`);
    }
    const order = sql`order by ${column} ${direction}, d.id ${direction} limit ${slot('limit')}`;
    const branches = visibleBranches(viewer, page.filter.trashed, slot);
    if (branches === undefined) {
      return sql`select ${columns} from documents d join users u on u.id = d.owner_id
        where ${where(filters)} ${order}`.compile(source) as CompiledQuery<ListedDocument>;
    }
    const parts = branches.map(
      (branch) => sql`select id from (select d.id from documents d where ${where([branch, ...filters])} ${order}) part`,
    );
    return sql`select ${columns} from (${sql.join(parts, sql` union `)}) seen
      join documents d on d.id = seen.id join users u on u.id = d.owner_id ${order}`.compile(
      source,
    ) as CompiledQuery<ListedDocument>;
  });
}

function countStatement(viewer: Viewer, filter: DocumentFilter) {
  return prepare<TenantReader, Values, { n: number }>((source, slotOf) => {
    const slot: Slots = slotOf;
    const filters = conditions(filter, slot);
    const branches = visibleBranches(viewer, filter.trashed, slot);
    if (branches !== undefined) filters.push(sql`(${sql.join(branches, sql` or `)})`);
    return sql`select count(*) as n from documents d where ${where(filters)}`.compile(source) as CompiledQuery<{
      n: number;
    }>;
  });
}
