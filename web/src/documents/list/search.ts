/** What the address of the list says: filters, order and view. Whatever does not read as such is left out. */
import { type DocumentSort, documentSorts } from '../../../../src/modules/documents/contract.ts';

export const views = ['table', 'cards'] as const;
export type View = (typeof views)[number];

export interface DocumentsSearch {
  readonly q?: string;
  readonly type?: string;
  readonly basket?: string;
  readonly owner?: string;
  readonly tag?: string;
  /** Days in UTC, `2026-01-31`, both included. */
  readonly from?: string;
  readonly to?: string;
  readonly sort?: DocumentSort;
  readonly view?: View;
}

/** What narrows the list, in the order of the chips. `q` stands in the search field. */
export const filterNames = ['type', 'basket', 'owner', 'tag', 'from', 'to'] as const;
export type FilterName = (typeof filterNames)[number];

export const defaultSort: DocumentSort = '-created_at';

/** The router reads numbers and booleans out of the address; here all of it is text. */
function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
  const text = String(value).slice(0, 200);
  return text.trim() === '' ? undefined : text;
}

function dayOf(value: unknown): string | undefined {
  const text = textOf(value);
  if (text === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const time = new Date(`${text}T00:00:00Z`);
  return Number.isNaN(time.getTime()) || time.toISOString().slice(0, 10) !== text ? undefined : text;
}

const oneOf = <T extends string>(all: readonly T[], value: unknown): T | undefined => all.find((one) => one === value);

export function parseSearch(raw: Record<string, unknown>): DocumentsSearch {
  const all = {
    q: textOf(raw.q),
    type: textOf(raw.type),
    basket: textOf(raw.basket),
    owner: textOf(raw.owner),
    tag: textOf(raw.tag),
    from: dayOf(raw.from),
    to: dayOf(raw.to),
    sort: oneOf(documentSorts, raw.sort),
    view: oneOf(views, raw.view),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as DocumentsSearch;
}

/** The query that the server is asked with; its members are the key under which the answer is kept. */
export interface ListFilter {
  readonly q?: string;
  readonly mime_type?: string;
  readonly basket_id?: string;
  readonly owner?: string;
  readonly tag?: string;
  readonly created_from?: string;
  readonly created_to?: string;
  readonly trashed?: 'true';
  readonly sort: DocumentSort;
}

export function filterOf(search: DocumentsSearch): ListFilter {
  const { q, type, basket, owner, tag, from, to, sort = defaultSort } = search;
  return {
    ...(q === undefined ? {} : { q }),
    ...(type === undefined ? {} : { mime_type: type }),
    ...(basket === undefined ? {} : { basket_id: basket }),
    ...(owner === undefined ? {} : { owner }),
    ...(tag === undefined ? {} : { tag }),
    ...(from === undefined ? {} : { created_from: from }),
    ...(to === undefined ? {} : { created_to: to }),
    sort,
  };
}

export const isFiltered = (search: DocumentsSearch): boolean =>
  search.q !== undefined || filterNames.some((name) => search[name] !== undefined);

/** As above, within a basket: one that holds nothing is empty, and not filtered. */
export const isNarrowed = ({ basket: _, ...search }: DocumentsSearch): boolean => isFiltered(search);
