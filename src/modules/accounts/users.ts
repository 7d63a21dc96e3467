/**
 * People of a company, under the rank rule: one sees oneself and lower ranks (the highest role sees everybody), and
 * changes only those below. So nobody promotes oneself, and the last administrator stays: nobody stands above one.
 */
import type { TenantTx } from '../../kernel/database/database.ts';
import { forbidden, invalidField, isStrongroomError, notFound } from '../../kernel/errors.ts';
import type { MemberCaller, Tenant } from '../../kernel/handles.ts';
import { isId } from '../../kernel/ids.ts';
import { type Role, roleDefinition } from '../../kernel/roles.ts';
import type { UserSort } from './contract.ts';
import { type Parts, sourceOf } from './parts.ts';
import { isBelow, visibleRoles } from './ranks.ts';
import { countUsers, listUsers, type UserFilter, type UserRow, updateUser, userById } from './repository.ts';
import { type Origin, sessionTx } from './session-store.ts';

export interface UserChange {
  readonly full_name?: string | undefined;
  readonly role?: Role | undefined;
  readonly is_active?: boolean | undefined;
}

export interface UserPage {
  readonly limit: number;
  readonly sort: UserSort;
  readonly after?: readonly [string, string] | undefined;
  readonly q?: string | undefined;
  readonly role?: Role | undefined;
  readonly isActive?: boolean | undefined;
  readonly total: boolean;
}

export interface Users {
  list(
    caller: MemberCaller,
    page: UserPage,
  ): Promise<{ items: UserRow[]; next: readonly [string, string] | null; total: number | undefined }>;
  /** @throws not_found for who may not be seen, as for who is not there */
  get(caller: MemberCaller, id: string): Promise<UserRow>;
  /** @throws not_found (nobody in this company), forbidden `not_below_you`, `role_not_granted` */
  update(caller: MemberCaller, id: string, change: UserChange, origin: Origin): Promise<UserRow>;
  deactivate(caller: MemberCaller, id: string, origin: Origin): Promise<void>;
  /** A person of this company below the caller. @throws as `update` */
  below(reader: TenantTx | Tenant['db']['read'], caller: MemberCaller, id: string): Promise<UserRow>;
}

const nobody = () => notFound('There is no such person.');

export function createUsers(parts: Parts): Users {
  const { kernel, sessions, directory } = parts;
  const { audit, clock, events } = kernel;

  async function below(reader: TenantTx | Tenant['db']['read'], caller: MemberCaller, id: string): Promise<UserRow> {
    const user = isId('user', id) ? await userById(reader, id) : undefined;
    if (user === undefined) throw nobody();
    if (user.id === caller.user.id) throw forbidden('Nobody changes their own role or state.', 'not_below_you');
    if (!isBelow(caller.tenant.preset, user.role, caller.user.role)) {
      throw forbidden('Only people of a lower role may be changed.', 'not_below_you');
    }
    return user;
  }

  function requireGrant(caller: MemberCaller, role: Role): void {
    const { preset } = caller.tenant;
    if (roleDefinition(preset, role) === undefined) throw invalidField('role', 'This company has no such role.');
    if (!roleDefinition(preset, caller.user.role)?.grants.includes(role)) {
      throw forbidden('Your role may not give this role.', 'role_not_granted');
    }
  }

  /** Writes what differs, with its audit rows and events; ends the sessions of who may no longer come in. */
  async function apply(tx: TenantTx, caller: MemberCaller, user: UserRow, change: UserChange, origin: Origin) {
    const { tenant, actor } = caller;
    const source = sourceOf(origin);
    const role = change.role ?? user.role;
    const isActive = change.is_active === undefined ? user.is_active : Number(change.is_active);
    const fullName = change.full_name ?? user.full_name;
    const now = clock.now();
    const after: UserRow = { ...user, role, is_active: isActive, full_name: fullName, updated_at: clock.iso() };
    await updateUser(tx, user.id, {
      role,
      is_active: isActive,
      full_name: fullName,
      updated_at: after.updated_at,
    });
    const note = (action: string, details: Record<string, string> = {}) =>
      audit.record(tx, tenant, { action, actor, target: user.id, outcome: 'success', details, source });
    const acting = { actor, clock };
    if (role !== user.role) {
      await note('user.role_changed', { from: user.role, to: role });
      await events.record(tx, acting, 'user.role_changed', { user_id: user.id, from: user.role, to: role });
    }
    if (fullName !== user.full_name) {
      await note('user.renamed');
      await events.record(tx, acting, 'user.renamed', { user_id: user.id });
    }
    if (isActive !== user.is_active) {
      if (isActive === 0) await sessions.endAll(sessionTx(tx), user.id, 'deactivated', now);
      await note(isActive === 1 ? 'user.reactivated' : 'user.deactivated');
      await events.record(tx, acting, isActive === 1 ? 'user.reactivated' : 'user.deactivated', { user_id: user.id });
    }
    return after;
  }

  function noteRefusal(caller: MemberCaller, id: string, error: unknown, origin: Origin): void {
    if (!isStrongroomError(error, 'forbidden')) return;
    parts.background.run('auditing a refused change of a person', () =>
      audit.note(caller.tenant, {
        action: 'user.change_refused',
        actor: caller.actor,
        target: id,
        outcome: 'refused',
        details: { reason: error.code },
        source: sourceOf(origin),
      }),
    );
  }

  async function update(caller: MemberCaller, id: string, change: UserChange, origin: Origin): Promise<UserRow> {
    const { tenant } = caller;
    let before: UserRow | undefined;
    try {
      const after = await tenant.db.transaction(async (tx) => {
        before = await below(tx, caller, id);
        if (change.role !== undefined && change.role !== before.role) requireGrant(caller, change.role);
        return apply(tx, caller, before, change, origin);
      });
      if (before !== undefined && before.is_active !== after.is_active) {
        // A hint for sign-ins that name no company; the company itself decides.
        await directory.setActive(tenant.id, after.id, after.is_active === 1).catch(() => {});
      }
      return after;
    } catch (error) {
      noteRefusal(caller, id, error, origin);
      throw error;
    }
  }

  return {
    below,
    update,
    async list(caller, page) {
      const filter: UserFilter = {
        roles: visibleRoles(caller),
        self: caller.user.id,
        q: page.q,
        role: page.role,
        isActive: page.isActive,
      };
      const { read } = caller.tenant.db;
      const rows = await listUsers(read, filter, { limit: page.limit + 1, sort: page.sort, after: page.after });
      const items = rows.slice(0, page.limit);
      const last = items.at(-1);
      const column = page.sort.replace('-', '') as 'created_at' | 'full_name' | 'email';
      return {
        items,
        next: rows.length > page.limit && last !== undefined ? [last[column], last.id] : null,
        total: page.total ? await countUsers(read, filter) : undefined,
      };
    },
    async get(caller, id) {
      const user = isId('user', id) ? await userById(caller.tenant.db.read, id) : undefined;
      const roles = visibleRoles(caller);
      if (user === undefined) throw nobody();
      if (user.id !== caller.user.id && roles !== null && !roles.includes(user.role)) throw nobody();
      return user;
    },
    async deactivate(caller, id, origin) {
      await update(caller, id, { is_active: false }, origin);
    },
  };
}
