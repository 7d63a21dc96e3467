/** The rules of baskets (plain folders), of shares on documents and baskets, and of what the company refuses to keep. */
import { createCursors } from '../../../kernel/cursors.ts';
import type { TenantTx } from '../../../kernel/database/database.ts';
import { conflict, notFound } from '../../../kernel/errors.ts';
import { newId } from '../../../kernel/ids.ts';
import type { Basket, CreateBasket, DocumentSettings, Share, UpdateBasket } from '../contract.ts';
import {
  basketHoldsAny,
  basketNameTaken,
  changeBasket,
  countBaskets,
  insertBasket,
  listBaskets,
  loadBasket,
  removeBasket,
} from '../repository/baskets.ts';
import { loadDocument } from '../repository/documents.ts';
import { readUsage, writeDeniedTypes } from '../repository/files.ts';
import { listShares, putShare, removeShare } from '../repository/shares.ts';
import { type Acting, audit, type Parts, writeDown } from './acting.ts';
import { defaultLimit, type Page, type PlainPage } from './documents.ts';
import { requireGrantee } from './people.ts';
import { basketView, shareView } from './views.ts';

export interface BasketQuery extends PlainPage {
  readonly q?: string | undefined;
  readonly sort?: 'created_at' | '-created_at' | undefined;
  readonly total?: boolean | undefined;
}

export interface Baskets {
  list(acting: Acting, query: BasketQuery): Promise<Page<Basket>>;
  get(acting: Acting, id: string): Promise<Basket>;
  create(acting: Acting, input: CreateBasket): Promise<Basket>;
  update(acting: Acting, id: string, change: UpdateBasket): Promise<Basket>;
  remove(acting: Acting, id: string): Promise<void>;
}

function nameTaken() {
  return conflict('name_taken', 'There is a basket of this name already.');
}

export function createBaskets(parts: Parts): Baskets {
  const cursors = createCursors(parts.secrets);
  return {
    async list({ tenant, viewer }, query) {
      const sort = query.sort ?? 'created_at';
      const limit = query.limit ?? defaultLimit;
      const list = ['baskets', tenant.id, viewer.id, sort, JSON.stringify(query.q ?? null)].join('\n');
      const after = cursors.read(list, query.cursor) as [string, string] | undefined;
      const page = { q: query.q, descending: sort === '-created_at', limit: limit + 1, after };
      const rows = await listBaskets(tenant.db.read, viewer, page);
      const items = rows.slice(0, limit);
      const last = rows.length > limit ? items.at(-1)! : undefined;
      return {
        items: items.map(basketView),
        next_cursor: cursors.write(list, last === undefined ? null : [last.created_at, last.id]),
        ...(query.total === true ? { total: await countBaskets(tenant.db.read, viewer, query.q) } : {}),
      };
    },

    get: async ({ tenant, viewer }, id) => basketView(await loadBasket(tenant.db.read, viewer, id, 'read')),

    create: (acting, input) =>
      acting.tenant.db.transaction(async (tx) => {
        const now = acting.tenant.clock.now();
        const id = newId('basket', now);
        const at = new Date(now).toISOString();
        const row = { id, owner_id: acting.viewer.id, name: input.name, description: input.description ?? '' };
        if (!(await insertBasket(tx, { ...row, created_at: at, updated_at: at }))) throw nameTaken();
        await audit(parts, tx, acting, 'basket.created', id, { name: input.name });
        return basketView(await loadBasket(tx, acting.viewer, id, 'read'));
      }),

    update: (acting, id, change) =>
      acting.tenant.db.transaction(async (tx) => {
        const before = await loadBasket(tx, acting.viewer, id, 'write');
        const name = change.name ?? before.name;
        const description = change.description ?? before.description;
        if (name === before.name && description === before.description) return basketView(before);
        if (name !== before.name && (await basketNameTaken(tx, before.owner_id, name))) throw nameTaken();
        const updated_at = acting.tenant.clock.iso();
        await changeBasket(tx, id, { name, description, updated_at });
        await audit(parts, tx, acting, 'basket.updated', id, { name });
        return basketView({ ...before, name, description, updated_at });
      }),

    remove: (acting, id) =>
      acting.tenant.db.transaction(async (tx) => {
        await loadBasket(tx, acting.viewer, id, 'manage');
        if (await basketHoldsAny(tx, id)) throw conflict('basket_not_empty', 'There are documents in the basket.');
        await removeBasket(tx, id);
        await audit(parts, tx, acting, 'basket.deleted', id);
      }),
  };
}

export type ShareTarget = 'document' | 'basket';

export interface Shares {
  list(acting: Acting, target: ShareTarget, id: string): Promise<Page<Share>>;
  put(acting: Acting, target: ShareTarget, id: string, grantee: string, access: 'read' | 'write'): Promise<Share>;
  remove(acting: Acting, target: ShareTarget, id: string, grantee: string): Promise<void>;
}

export function createShares(parts: Parts): Shares {
  /** Shared by the owner or an HR admin; whoever manages may see with whom. */
  async function requireTarget(
    source: Parameters<typeof loadDocument>[0],
    { viewer }: Acting,
    target: ShareTarget,
    id: string,
    level: 'manage' | 'full',
  ): Promise<void> {
    if (target === 'document') await loadDocument(source, viewer, id, { level });
    else await loadBasket(source, viewer, id, level);
  }

  /** In the document's history too; a basket has none. */
  async function record(
    tx: TenantTx,
    acting: Acting,
    target: ShareTarget,
    fact: Parameters<typeof writeDown<'document.shared' | 'document.unshared'>>[3],
  ): Promise<void> {
    if (target === 'document') return writeDown(parts, tx, acting, fact);
    await audit(parts, tx, acting, fact.action.replace('document', 'basket'), fact.documentId, fact.details);
    await parts.events.record(tx, acting.tenant, fact.action, fact.payload);
  }

  return {
    async list(acting, target, id) {
      const source = acting.tenant.db.read;
      await requireTarget(source, acting, target, id, 'manage');
      return { items: (await listShares(source, id)).map(shareView), next_cursor: null };
    },

    put: (acting, target, id, grantee, access) =>
      acting.tenant.db.transaction(async (tx) => {
        const { tenant, viewer } = acting;
        await requireTarget(tx, acting, target, id, 'full');
        await requireGrantee(tx, tenant, viewer, grantee);
        const share = { target_id: id, grantee, access, shared_by: viewer.id, created_at: tenant.clock.iso() };
        const stored = await putShare(tx, share);
        await record(tx, acting, target, {
          action: 'document.shared',
          documentId: id,
          payload: { target_id: id, grantee, access },
          details: { grantee, access },
        });
        return shareView(stored);
      }),

    remove: (acting, target, id, grantee) =>
      acting.tenant.db.transaction(async (tx) => {
        await requireTarget(tx, acting, target, id, 'full');
        if (!(await removeShare(tx, id, grantee))) throw notFound();
        await record(tx, acting, target, {
          action: 'document.unshared',
          documentId: id,
          payload: { target_id: id, grantee },
          details: { grantee },
        });
      }),
  };
}

export interface DocumentSettingsRules {
  get(acting: Acting): Promise<DocumentSettings>;
  set(acting: Acting, settings: DocumentSettings): Promise<DocumentSettings>;
}

export function createSettings(parts: Parts): DocumentSettingsRules {
  return {
    get: async ({ tenant }) => ({ denied_types: [...(await readUsage(tenant.db.read)).deniedTypes] }),
    set: (acting, { denied_types }) =>
      acting.tenant.db.transaction(async (tx) => {
        const types = [...new Set(denied_types)];
        await writeDeniedTypes(tx, types);
        await audit(parts, tx, acting, 'documents.settings_changed', null, { denied_types: types.join(' ') });
        return { denied_types: types };
      }),
  };
}
