/**
 * Invitations: one live one an address, a link that works once and for seven days, and a role that the inviter may
 * still give when it is accepted. The token is in the answer to the inviter (and in a mail) and nowhere else.
 */

import { day, isoTime } from '../../kernel/clock.ts';
import type { TenantTx } from '../../kernel/database/database.ts';
import { isUniqueViolation } from '../../kernel/database/unique-violation.ts';
import {
  conflict,
  forbidden,
  invalidField,
  isStrongroomError,
  notFound,
  StrongroomError,
} from '../../kernel/errors.ts';
import type { Actor, MemberCaller, Tenant } from '../../kernel/handles.ts';
import { isId, newId } from '../../kernel/ids.ts';
import { highestRole, type Role, roleDefinition } from '../../kernel/roles.ts';
import { invitationMail } from './mail.ts';
import { makePerson, requireFreeNames } from './new-person.ts';
import { hashToken, newSecret, parseToken, tokenOf } from './opaque-tokens.ts';
import { createTurns, type Parts, sourceOf } from './parts.ts';
import { requireGoodPassword } from './password-rules.ts';
import { visibleRoles } from './ranks.ts';
import { userById, userByName } from './repository.ts';
import type { Origin } from './session-store.ts';
import type { SignedIn, SignIn } from './sign-in.ts';
import type { InvitationTable } from './tables.ts';

export interface NewInvitation {
  readonly email: string;
  readonly fullName: string;
  readonly role: Role;
}

export interface MadeInvitation {
  readonly row: InvitationTable;
  readonly token: string;
}

export interface InvitationPage {
  readonly limit: number;
  readonly status?: InvitationTable['status'] | undefined;
  readonly before?: string | undefined;
  readonly total: boolean;
}

export interface Invitations {
  invite(caller: MemberCaller, person: NewInvitation, origin: Origin): Promise<MadeInvitation>;
  /** By an operator: the highest role of the company. */
  inviteAdmin(tenant: Tenant, person: { email: string; fullName: string }, actor: Actor): Promise<MadeInvitation>;
  /** The step of creation: does nothing where this very invitation is there. `secret` is the random part. */
  ensureFirst(tenant: Tenant, input: { email: string; fullName: string; secret: string }): Promise<void>;
  list(
    caller: MemberCaller,
    page: InvitationPage,
  ): Promise<{ items: InvitationTable[]; next: string | null; total: number | undefined }>;
  cancel(caller: MemberCaller, id: string, origin: Origin): Promise<void>;
  resend(caller: MemberCaller, id: string, origin: Origin): Promise<MadeInvitation>;
  /** @throws not_found (unknown, cancelled), gone `invitation_over` (used, expired) */
  look(token: string, origin: Origin): Promise<{ tenant: Tenant; row: InvitationTable }>;
  accept(input: { token: string; password: string; username?: string | undefined }, origin: Origin): Promise<SignedIn>;
}

const over = () => new StrongroomError('gone', 'invitation_over', 'This invitation was used, withdrawn or is too old.');
const unknown = () => notFound('There is no such invitation.');
const alreadyInvited = () =>
  conflict('already_invited', 'This address has an invitation that is still open. Send it again instead.');

export function createInvitations(parts: Parts, signIn: SignIn): Invitations {
  const { kernel, links, passwords, post } = parts;
  const { audit, clock, config, events } = kernel;
  const inTurn = createTurns();
  const lifeMs = config.invitationDays * day;

  /** In the inviter's transaction: the row, its audit, its mail. */
  async function make(
    tx: TenantTx,
    tenant: Tenant,
    person: NewInvitation,
    by: Actor,
    source: ReturnType<typeof sourceOf>,
  ): Promise<MadeInvitation> {
    const at = clock.iso();
    // What does not wait for another's answer goes to the database together, here and below.
    const [live] = await Promise.all([
      tx
        .selectFrom('invitations')
        .select(['id', 'expires_at'])
        .where('email', '=', person.email)
        .where('status', '=', 'pending')
        .executeTakeFirst(),
      requireFreeNames(tx, { email: person.email, username: null }),
    ]);
    if (live !== undefined && live.expires_at > at) {
      throw alreadyInvited();
    }
    if (live !== undefined) {
      await tx.updateTable('invitations').set({ status: 'expired' }).where('id', '=', live.id).execute();
    }
    return write(tx, tenant, person, by, source, newSecret());
  }

  /** Where nobody of that address can be there, and no invitation. */
  async function write(
    tx: TenantTx,
    tenant: Tenant,
    person: NewInvitation,
    by: Actor,
    source: ReturnType<typeof sourceOf>,
    secret: string,
  ): Promise<MadeInvitation> {
    const now = clock.now();
    const token = tokenOf(tenant.id, secret);
    const row: InvitationTable = {
      id: newId('invitation', now),
      email: person.email,
      full_name: person.fullName,
      role: person.role,
      token_hash: hashToken(token),
      status: 'pending',
      invited_by: 'id' in by ? by.id : null,
      invited_by_kind: by.kind,
      created_at: isoTime(now),
      expires_at: isoTime(now + lifeMs),
      accepted_at: null,
      user_id: null,
    };
    await Promise.all([
      insert(tx, row),
      announce(tx, tenant, row, token, by, 'invitation.created', source),
      events.record(tx, { actor: by, clock }, 'user.invited', { invitation_id: row.id, role: row.role }),
    ]);
    return { row, token };
  }

  async function insert(tx: TenantTx, row: InvitationTable): Promise<void> {
    try {
      await tx.insertInto('invitations').values(row).execute();
    } catch (error) {
      throw isUniqueViolation(error) === false ? error : alreadyInvited();
    }
  }

  async function announce(
    tx: TenantTx,
    tenant: Tenant,
    row: InvitationTable,
    token: string,
    by: Actor,
    action: string,
    source: ReturnType<typeof sourceOf>,
  ): Promise<void> {
    await Promise.all([
      audit.record(tx, tenant, {
        action,
        actor: by,
        target: row.id,
        outcome: 'success',
        details: { role: row.role },
        source,
      }),
      post.queue(tx, tenant, invitationMail(row.email, tenant.name, links.invitation(token), row.expires_at)),
    ]);
  }

  function requireGrant(caller: MemberCaller, role: Role): void {
    const { preset } = caller.tenant;
    if (roleDefinition(preset, role) === undefined) throw invalidField('role', 'This company has no such role.');
    if (!roleDefinition(preset, caller.user.role)?.grants.includes(role)) {
      throw forbidden('Your role may not give this role.', 'role_not_granted');
    }
  }

  function noteRefusedGrant(caller: MemberCaller, role: string, origin: Origin): void {
    parts.background.run('auditing a refused invitation', () =>
      audit.note(caller.tenant, {
        action: 'invitation.refused',
        actor: caller.actor,
        outcome: 'refused',
        details: { role },
        source: sourceOf(origin),
      }),
    );
  }

  /** An invitation that the caller may see: of a lower role, or any for administrators. @throws not_found */
  async function seen(reader: TenantTx | MemberCaller['tenant']['db']['read'], caller: MemberCaller, id: string) {
    if (!isId('invitation', id)) throw unknown();
    const row = await reader.selectFrom('invitations').selectAll().where('id', '=', id).executeTakeFirst();
    const roles = visibleRoles(caller);
    if (row === undefined || (roles !== null && !roles.includes(row.role))) throw unknown();
    return row as InvitationTable;
  }

  /** Whether who invited may still give the role. Operators and the host are above every company. */
  async function stillGranted(tx: TenantTx, tenant: Tenant, row: InvitationTable): Promise<boolean> {
    if (row.invited_by_kind !== 'user') return true;
    const inviter = row.invited_by === null ? undefined : await userById(tx, row.invited_by);
    if (inviter?.is_active !== 1) return false;
    return roleDefinition(tenant.preset, inviter.role)?.grants.includes(row.role) === true;
  }

  async function look(token: string, origin: Origin): Promise<{ tenant: Tenant; row: InvitationTable }> {
    parts.guard.beginToken(origin.ip);
    const parsed = parseToken(token);
    const wrong = () => {
      parts.guard.wrongToken(origin.ip);
      return unknown();
    };
    if (parsed === undefined || parsed.home === 'system') throw wrong();
    let tenant: Tenant;
    try {
      tenant = await kernel.tenants.open(parsed.home, { kind: 'anonymous' });
    } catch (error) {
      if (isStrongroomError(error, 'not_found')) throw wrong();
      throw error;
    }
    const row = await tenant.db.read
      .selectFrom('invitations')
      .selectAll()
      .where('token_hash', '=', parsed.hash)
      .executeTakeFirst();
    if (row === undefined || row.status === 'cancelled') throw wrong();
    if (row.status !== 'pending' || row.expires_at <= clock.iso()) throw over();
    return { tenant, row: row as InvitationTable };
  }

  async function acceptInTurn(
    input: { token: string; password: string; username?: string | undefined },
    origin: Origin,
  ): Promise<SignedIn> {
    const { tenant, row } = await look(input.token, origin);
    const username = input.username ?? null;
    requireGoodPassword(input.password, {
      email: row.email,
      username,
      fullName: row.full_name,
      companyName: tenant.name,
      companySlug: tenant.slug,
    });
    // Refused before a hash is spent; decided in the transaction.
    await requireFreeNames(tenant.db.read, { email: row.email, username });
    const passwordHash = await passwords.hash(input.password);
    const person = { email: row.email, username, fullName: row.full_name, role: row.role as Role, passwordHash };
    const asUser = (user: { id: string; role: Role }): Actor => ({
      kind: 'user',
      id: user.id,
      role: user.role,
      sessionId: '',
    });
    const made = await makePerson(parts, tenant, person, asUser, {
      async before(tx, userId) {
        const at = clock.iso();
        const used = await tx
          .updateTable('invitations')
          .set({ status: 'accepted', accepted_at: at, user_id: userId })
          .where('id', '=', row.id)
          .where('token_hash', '=', row.token_hash)
          .where('status', '=', 'pending')
          .where('expires_at', '>', at)
          .executeTakeFirst();
        if (Number(used.numUpdatedRows) !== 1 || !(await stillGranted(tx, tenant, row))) throw over();
      },
      async within(tx, user) {
        const session = await signIn.begin(tx, tenant, user, origin, 'invitation');
        await audit.record(tx, tenant, {
          action: 'invitation.accepted',
          actor: { kind: 'user', id: user.id, role: user.role, sessionId: session.sessionId },
          target: row.id,
          outcome: 'success',
          details: { role: user.role },
          source: sourceOf(origin),
        });
        return { user, session };
      },
    });
    return signIn.finish(tenant, made.user, made.session);
  }

  return {
    async invite(caller, person, origin) {
      try {
        requireGrant(caller, person.role);
      } catch (error) {
        if (isStrongroomError(error, 'forbidden')) noteRefusedGrant(caller, person.role, origin);
        throw error;
      }
      parts.guard.invitation(caller.user.id);
      const { tenant } = caller;
      return tenant.db.transaction((tx) => make(tx, tenant, person, caller.actor, sourceOf(origin)));
    },

    inviteAdmin(tenant, person, actor) {
      const role = highestRole[tenant.preset];
      return tenant.db.transaction((tx) => make(tx, tenant, { ...person, role }, actor, {}));
    },

    async ensureFirst(tenant, input) {
      const hash = hashToken(tokenOf(tenant.id, input.secret));
      const role = highestRole[tenant.preset];
      await tenant.db.transaction(async (tx) => {
        const there = await tx.selectFrom('invitations').select('id').where('token_hash', '=', hash).executeTakeFirst();
        if (there !== undefined) return;
        // The company is still being made: there is nobody else in it.
        await write(tx, tenant, { email: input.email, fullName: input.fullName, role }, tenant.actor, {}, input.secret);
      });
    },

    async list(caller, page) {
      const { db } = caller.tenant;
      const roles = visibleRoles(caller);
      const at = clock.iso();
      let query = db.read.selectFrom('invitations');
      if (roles !== null) query = query.where('role', 'in', roles.length === 0 ? [''] : roles);
      if (page.status === 'pending') query = query.where('status', '=', 'pending').where('expires_at', '>', at);
      else if (page.status === 'expired') {
        query = query.where((where) =>
          where.or([
            where('status', '=', 'expired'),
            where.and([where('status', '=', 'pending'), where('expires_at', '<=', at)]),
          ]),
        );
      } else if (page.status !== undefined) query = query.where('status', '=', page.status);
      const total = page.total
        ? Number((await query.select((select) => select.fn.countAll().as('count')).executeTakeFirstOrThrow()).count)
        : undefined;
      if (page.before !== undefined) query = query.where('id', '<', page.before);
      const rows = await query
        .selectAll()
        .orderBy('id', 'desc')
        .limit(page.limit + 1)
        .execute();
      const items = rows.slice(0, page.limit) as InvitationTable[];
      return { items, next: rows.length > page.limit ? items.at(-1)!.id : null, total };
    },

    async cancel(caller, id, origin) {
      const { tenant } = caller;
      await tenant.db.transaction(async (tx) => {
        const row = await seen(tx, caller, id);
        if (row.status === 'accepted') throw conflict('invitation_used', 'This invitation was accepted.');
        if (row.status === 'cancelled') throw unknown();
        await tx.updateTable('invitations').set({ status: 'cancelled' }).where('id', '=', row.id).execute();
        await audit.record(tx, tenant, {
          action: 'invitation.cancelled',
          actor: caller.actor,
          target: row.id,
          outcome: 'success',
          source: sourceOf(origin),
        });
      });
    },

    async resend(caller, id, origin) {
      const { tenant } = caller;
      requireGrant(caller, (await seen(tenant.db.read, caller, id)).role as Role);
      parts.guard.invitation(caller.user.id);
      return tenant.db.transaction(async (tx) => {
        const row = await seen(tx, caller, id);
        if (row.status === 'accepted') throw conflict('invitation_used', 'This invitation was accepted.');
        if (row.status === 'cancelled') throw unknown();
        if ((await userByName(tx, row.email)) !== undefined) {
          throw conflict('already_user', 'This address belongs to a user of the company already.');
        }
        const other = await tx
          .selectFrom('invitations')
          .select('id')
          .where('email', '=', row.email)
          .where('status', '=', 'pending')
          .where('id', '!=', row.id)
          .executeTakeFirst();
        if (other !== undefined) throw conflict('already_invited', 'This address has a newer invitation.');
        const token = tokenOf(tenant.id, newSecret());
        // Who sends it again answers for the role from now on.
        const change = {
          token_hash: hashToken(token),
          status: 'pending' as const,
          expires_at: isoTime(clock.now() + lifeMs),
          invited_by: caller.user.id,
          invited_by_kind: 'user',
        };
        await tx.updateTable('invitations').set(change).where('id', '=', row.id).execute();
        const renewed = { ...row, ...change };
        await announce(tx, tenant, renewed, token, caller.actor, 'invitation.resent', sourceOf(origin));
        return { row: renewed, token };
      });
    },

    look,
    accept: (input, origin) => inTurn(hashToken(input.token), () => acceptInTurn(input, origin)),
  };
}
