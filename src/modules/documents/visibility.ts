/**
 * Who may see and do what with documents and baskets: the rule, once, in two forms that must agree. `accessOf` judges
 * one row; `visibleBranches` are the conditions of a list. Both come from the role definitions of the policy table, the
 * owner's present role, and shares; nothing of it is remembered anywhere.
 *
 * - The owner may do everything, and so may the role that changes all (HR admin, admin).
 * - A role that changes lower ranks manages their documents: everything but purging and sharing.
 * - A share on a document, or on the basket it is in, gives reading or writing. The owner of a basket may read and write
 *   what others put into it.
 * - What is in the trash is there for those who manage it, and for nobody else.
 */
import { type RawBuilder, sql } from 'kysely';
import { forbidden, notFound } from '../../kernel/errors.ts';
import type { Tenant } from '../../kernel/handles.ts';
import { presets, type Reach, type Role, type RoleDefinition, roleDefinition } from '../../kernel/roles.ts';
import './tables.ts';

/** Ordered: each includes those before it. `full`: purge and share as well. */
export const levels = ['none', 'read', 'write', 'manage', 'full'] as const;
export type Level = (typeof levels)[number];

/** The person who asks, as the rules see them. */
export interface Viewer {
  readonly id: string;
  readonly role: Role;
  readonly definition: RoleDefinition;
  /** Roles of a lower rank. */
  readonly lower: readonly Role[];
}

/** @throws forbidden where the role is none of this company's preset */
export function viewerOf(tenant: Pick<Tenant, 'preset'>, user: { readonly id: string; readonly role: Role }): Viewer {
  const definition = roleDefinition(tenant.preset, user.role);
  if (definition === undefined) throw forbidden('Your role has no rights here.');
  return { id: user.id, role: user.role, definition, lower: lowerRoles(tenant, definition.rank) };
}

function lowerRoles(tenant: Pick<Tenant, 'preset'>, rank: number): Role[] {
  const roles = Object.entries(presets[tenant.preset]) as [Role, RoleDefinition][];
  return roles.filter(([, one]) => one.rank < rank).map(([name]) => name);
}

/** What a row must say of a document or basket to be judged. */
export interface Judged {
  readonly owner_id: string;
  readonly owner_role: string;
  /** 0 no share, 1 read, 2 or more write: what shares, and owning the basket, give to the viewer. */
  readonly shared: number;
  readonly trashed_at: string | null;
}

function reaches(reach: Reach, viewer: Viewer, row: Judged): boolean {
  if (row.owner_id === viewer.id || reach === 'all') return true;
  return reach === 'lower' && viewer.lower.includes(row.owner_role as Role);
}

export function accessOf(viewer: Viewer, row: Judged): Level {
  if (row.owner_id === viewer.id || viewer.definition.changes === 'all') return 'full';
  if (reaches(viewer.definition.changes, viewer, row)) return 'manage';
  if (row.trashed_at !== null) return 'none';
  if (Number(row.shared) >= 2) return 'write';
  return Number(row.shared) === 1 || reaches(viewer.definition.sees, viewer, row) ? 'read' : 'none';
}

export function atLeast(level: Level, wanted: Level): boolean {
  return levels.indexOf(level) >= levels.indexOf(wanted);
}

/** @throws not_found where nothing may be seen, forbidden where it may be seen but not this much done */
export function requireLevel(level: Level, wanted: Level): void {
  if (level === 'none') throw notFound();
  if (!atLeast(level, wanted)) throw forbidden('You may see this, but not do that with it.');
}

/** What a value of the viewer is called where a statement is prepared once for everybody (`slots.ts`). */
export type ViewerSlot = 'viewer' | 'role';
export type Bind = (slot: ViewerSlot) => unknown;

/** The best share that the viewer has on the row `d` of documents or its basket, and 2 more for owning the basket. */
export function sharedLevel(bind: Bind): RawBuilder<number> {
  return sql<number>`(select coalesce(max(case access when 'write' then 2 else 1 end), 0) from shares
    where target_id in (d.id, d.basket_id) and grantee in (${bind('viewer')}, ${bind('role')}))
    + (select 2 * count(*) from baskets k where k.id = d.basket_id and k.owner_id = ${bind('viewer')})`;
}

/**
 * The conditions on `documents d` of which one must hold; undefined where everything may be seen. Each can be answered
 * from an index in the order of creation, which is why they are not one condition with `or`.
 */
export function visibleBranches(viewer: Viewer, trash: boolean, bind: Bind): RawBuilder<boolean>[] | undefined {
  const reach = trash ? viewer.definition.changes : viewer.definition.sees;
  if (reach === 'all') return undefined;
  const me = sql`${bind('viewer')}`;
  const mine = sql`grantee in (${me}, ${bind('role')})`;
  const branches = [sql<boolean>`d.owner_id = ${me}`];
  if (reach === 'lower') {
    const lower = sql.join(viewer.lower.map((role) => sql.lit(role)));
    // As a look at each owner: as a set of owners it would be gathered and sorted whole for every page.
    branches.push(sql<boolean>`exists (select 1 from users w where w.id = d.owner_id and w.role in (${lower}))`);
  }
  if (trash) return branches;
  branches.push(sql<boolean>`d.id in (select target_id from shares where ${mine})`);
  branches.push(sql<boolean>`d.basket_id in (select target_id from shares where ${mine}
    union select id from baskets where owner_id = ${me})`);
  return branches;
}
