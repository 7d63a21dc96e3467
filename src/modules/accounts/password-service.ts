/**
 * Passwords after the first: changed by who knows the present one, or set anew through a link that works once. Nobody
 * sets another's; a link reaches nothing but the account that it was made for.
 */
import { hour, isoTime, minute } from '../../kernel/clock.ts';
import type { TenantTx } from '../../kernel/database/database.ts';
import { invalidField, isStrongroomError, notFound, StrongroomError } from '../../kernel/errors.ts';
import type { MemberCaller, OperatorCaller, Tenant } from '../../kernel/handles.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Finder } from './finder.ts';
import { resetMail } from './mail.ts';
import { newToken, type ParsedToken, parseToken } from './opaque-tokens.ts';
import { createTurns, type Parts, sourceOf } from './parts.ts';
import { requireGoodPassword } from './password-rules.ts';
import { unlink } from './person-links.ts';
import { replacePasswordHash, type UserRow, updateUser, userById } from './repository.ts';
import { type Origin, type SessionTx, sessionReader, sessionTx } from './session-store.ts';
import { invalidCredentials } from './sign-in.ts';
import type { OperatorTable } from './tables.ts';
import type { Users } from './users.ts';

/** Life of a link that somebody asked for themselves, and of one that was sent to them. */
const askedForMs = hour;
const sentMs = 24 * hour;
/** One mail an account in this time, however often it is asked for. */
const mailEveryMs = minute;

export interface PasswordService {
  change(caller: MemberCaller | OperatorCaller, current: string, next: string, origin: Origin): Promise<void>;
  /** Returns before anything is looked up. */
  forgot(username: string, company: string | undefined, origin: Origin): void;
  /** @throws not_found (unknown), gone `reset_used` (used, too old) | `invitation_over` */
  reset(token: string, password: string, origin: Origin): Promise<void>;
  /** A link for a person below the caller: by mail, or in the answer where there is no mail. */
  send(
    caller: MemberCaller,
    userId: string,
    origin: Origin,
  ): Promise<{ sent: boolean; expiresAt: string; token: string | undefined }>;
}

const used = () => new StrongroomError('gone', 'reset_used', 'This link was used or is too old. Ask for a new one.');
const unknown = () => notFound('There is no such link.');

export function createPasswordService(parts: Parts, finder: Finder, users: Users): PasswordService {
  const { kernel, passwords, sessions, post, links } = parts;
  const { audit, clock, control } = kernel;
  const inTurn = createTurns();

  const wordsOf = (tenant: Tenant, user: Pick<UserRow, 'email' | 'username' | 'full_name'>) => ({
    email: user.email,
    username: user.username,
    fullName: user.full_name,
    companyName: tenant.name,
    companySlug: tenant.slug,
  });

  /** The account's one live link: older ones are dead. */
  async function makeReset(tx: SessionTx, home: TenantId | 'system', userId: string, lifeMs: number) {
    const now = clock.now();
    await tx.deleteFrom('password_resets').where('user_id', '=', userId).where('used_at', 'is', null).execute();
    const { token, hash } = newToken(home);
    const expiresAt = isoTime(now + lifeMs);
    await tx
      .insertInto('password_resets')
      .values({ token_hash: hash, user_id: userId, created_at: isoTime(now), expires_at: expiresAt, used_at: null })
      .execute();
    return { token, expiresAt };
  }

  async function recentlyMailed(tx: SessionTx, userId: string): Promise<boolean> {
    const row = await tx
      .selectFrom('password_resets')
      .select('token_hash')
      .where('user_id', '=', userId)
      .where('created_at', '>', isoTime(clock.now() - mailEveryMs))
      .executeTakeFirst();
    return row !== undefined;
  }

  async function changeMember(caller: MemberCaller, current: string, next: string, origin: Origin): Promise<void> {
    const { tenant } = caller;
    const user = await userById(tenant.db.read, caller.user.id);
    if (!(await passwords.verify(user?.password_hash, current)) || user === undefined)
      throw wrongCurrent(caller, origin);
    requireGoodPassword(next, wordsOf(tenant, user), 'new_password');
    const hash = await passwords.hash(next);
    const done = await tenant.db.transaction(async (tx) => {
      const now = clock.now();
      if (!(await replacePasswordHash(tx, user.id, user.password_hash, hash, now))) return false;
      await sessions.endAll(sessionTx(tx), user.id, 'password_changed', now, caller.sessionId);
      await dropResets(sessionTx(tx), user.id);
      await audit.record(tx, tenant, {
        action: 'password.changed',
        actor: caller.actor,
        target: user.id,
        outcome: 'success',
        source: sourceOf(origin),
      });
      return true;
    });
    if (!done) throw invalidCredentials();
  }

  async function changeOperator(caller: OperatorCaller, current: string, next: string, origin: Origin): Promise<void> {
    const id = caller.operator.id;
    const row = await control.read.selectFrom('operators').selectAll().where('id', '=', id).executeTakeFirst();
    if (!(await passwords.verify(row?.password_hash, current)) || row === undefined) throw wrongCurrent(caller, origin);
    requireGoodPassword(next, { email: row.email, username: row.username, fullName: row.full_name }, 'new_password');
    const hash = await passwords.hash(next);
    const done = await control.transaction(async (tx) => {
      const changed = await tx
        .updateTable('operators')
        .set({ password_hash: hash, updated_at: clock.iso() })
        .where('id', '=', id)
        .where('password_hash', '=', row.password_hash)
        .executeTakeFirst();
      if (Number(changed.numUpdatedRows) !== 1) return false;
      await sessions.endAll(sessionTx(tx), id, 'password_changed', clock.now(), caller.sessionId);
      await dropResets(sessionTx(tx), id);
      await audit.recordFleet(tx, {
        action: 'password.changed',
        actor: caller.actor,
        target: id,
        outcome: 'success',
        source: sourceOf(origin),
      });
      return true;
    });
    if (!done) throw invalidCredentials();
  }

  async function dropResets(tx: SessionTx, userId: string): Promise<void> {
    await tx.deleteFrom('password_resets').where('user_id', '=', userId).where('used_at', 'is', null).execute();
  }

  function wrongCurrent(caller: MemberCaller | OperatorCaller, origin: Origin): StrongroomError {
    const entry = {
      action: 'password.change_refused',
      actor: caller.actor,
      outcome: 'refused',
      source: sourceOf(origin),
    } as const;
    parts.background.run('auditing a refused change of password', () =>
      caller.kind === 'member' ? audit.note(caller.tenant, entry) : audit.noteFleet(entry),
    );
    return invalidCredentials();
  }

  /** After the answer: nothing of this shows in its time. */
  async function prepareReset(username: string, company: string | undefined, origin: Origin): Promise<void> {
    const account = await finder.find(username, company);
    if (account === undefined || !post.configured) return;
    if (account.kind === 'operator') return mailOperator(account.operator, origin);
    const { tenant, user } = account;
    if (user.is_active !== 1) return;
    await tenant.db.transaction(async (tx) => {
      if (await recentlyMailed(sessionTx(tx), user.id)) return;
      const { token, expiresAt } = await makeReset(sessionTx(tx), tenant.id, user.id, askedForMs);
      await post.queue(tx, tenant, resetMail(user.email, links.passwordReset(token), expiresAt));
      await audit.record(tx, tenant, {
        action: 'password.reset_requested',
        actor: { kind: 'anonymous' },
        target: user.id,
        outcome: 'success',
        source: sourceOf(origin),
      });
    });
  }

  async function mailOperator(operator: OperatorTable, origin: Origin): Promise<void> {
    if (operator.is_active !== 1) return;
    const made = await control.transaction(async (tx) => {
      if (await recentlyMailed(sessionTx(tx), operator.id)) return undefined;
      await audit.recordFleet(tx, {
        action: 'password.reset_requested',
        actor: { kind: 'anonymous' },
        target: operator.id,
        outcome: 'success',
        source: sourceOf(origin),
      });
      return makeReset(sessionTx(tx), 'system', operator.id, askedForMs);
    });
    if (made !== undefined) {
      await post.send(resetMail(operator.email, links.passwordReset(made.token), made.expiresAt));
    }
  }

  async function liveReset(reader: ReturnType<typeof sessionReader>, hash: string) {
    const row = await reader
      .selectFrom('password_resets')
      .selectAll()
      .where('token_hash', '=', hash)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (row.used_at !== null || row.expires_at <= clock.iso()) throw used();
    return row;
  }

  async function consume(tx: SessionTx, hash: string): Promise<void> {
    const at = clock.iso();
    const done = await tx
      .updateTable('password_resets')
      .set({ used_at: at })
      .where('token_hash', '=', hash)
      .where('used_at', 'is', null)
      .where('expires_at', '>', at)
      .executeTakeFirst();
    if (Number(done.numUpdatedRows) !== 1) throw used();
  }

  async function resetMember(home: TenantId, parsed: ParsedToken, password: string, origin: Origin): Promise<void> {
    const tenant = await kernel.tenants.open(home, { kind: 'anonymous' });
    const row = await liveReset(sessionReader(tenant.db.read), parsed.hash);
    if (row === undefined) {
      // A token of an invitation opens nothing here; one that is over says so.
      const invitation = await tenant.db.read
        .selectFrom('invitations')
        .select(['status', 'expires_at'])
        .where('token_hash', '=', parsed.hash)
        .executeTakeFirst();
      const live = invitation?.status === 'pending' && invitation.expires_at > clock.iso();
      if (invitation !== undefined && invitation.status !== 'cancelled' && !live) {
        throw new StrongroomError('gone', 'invitation_over', 'This invitation was used, withdrawn or is too old.');
      }
      throw unknown();
    }
    const user = await userById(tenant.db.read, row.user_id);
    if (user?.is_active !== 1) throw used();
    requireGoodPassword(password, wordsOf(tenant, user));
    const hash = await passwords.hash(password);
    await unlink(control, { tenantId: home, userId: user.id });
    await tenant.db.transaction((tx) => finishMember(tx, tenant, user, parsed.hash, hash, origin));
  }

  async function finishMember(
    tx: TenantTx,
    tenant: Tenant,
    user: UserRow,
    tokenHash: string,
    passwordHash: string,
    origin: Origin,
  ): Promise<void> {
    await consume(sessionTx(tx), tokenHash);
    if ((await userById(tx, user.id))?.is_active !== 1) throw used();
    const now = clock.now();
    await updateUser(tx, user.id, { password_hash: passwordHash, updated_at: isoTime(now) });
    await sessions.endAll(sessionTx(tx), user.id, 'password_reset', now);
    await audit.record(tx, tenant, {
      action: 'password.reset',
      actor: { kind: 'anonymous' },
      target: user.id,
      outcome: 'success',
      source: sourceOf(origin),
    });
  }

  async function resetOperator(parsed: ParsedToken, password: string, origin: Origin): Promise<void> {
    const row = await liveReset(sessionReader(control.read), parsed.hash);
    if (row === undefined) throw unknown();
    const operator = await control.read
      .selectFrom('operators')
      .selectAll()
      .where('id', '=', row.user_id)
      .executeTakeFirst();
    if (operator?.is_active !== 1) throw used();
    const { email, username, full_name: fullName } = operator;
    requireGoodPassword(password, { email, username, fullName });
    const hash = await passwords.hash(password);
    await control.transaction(async (tx) => {
      await consume(sessionTx(tx), parsed.hash);
      await tx
        .updateTable('operators')
        .set({ password_hash: hash, updated_at: clock.iso() })
        .where('id', '=', operator.id)
        .execute();
      await sessions.endAll(sessionTx(tx), operator.id, 'password_reset', clock.now());
      await audit.recordFleet(tx, {
        action: 'password.reset',
        actor: { kind: 'anonymous' },
        target: operator.id,
        outcome: 'success',
        source: sourceOf(origin),
      });
    });
  }

  return {
    async change(caller, current, next, origin) {
      const name = caller.kind === 'member' ? caller.user.email : caller.operator.email;
      parts.guard.begin(origin.ip, name);
      if (current === next) throw invalidField('new_password', 'Choose another one.', 'password_unchanged');
      if (caller.kind === 'member') await changeMember(caller, current, next, origin);
      else await changeOperator(caller, current, next, origin);
      parts.guard.succeeded(origin.ip, name);
    },

    forgot(username, company, origin) {
      parts.guard.beginToken(origin.ip);
      parts.guard.wrongToken(origin.ip);
      parts.background.run('preparing a password reset', () => prepareReset(username, company, origin));
    },

    async reset(token, password, origin) {
      parts.guard.beginToken(origin.ip);
      const parsed = parseToken(token);
      try {
        if (parsed === undefined) throw unknown();
        const { home } = parsed;
        await inTurn(parsed.hash, () =>
          home === 'system' ? resetOperator(parsed, password, origin) : resetMember(home, parsed, password, origin),
        );
      } catch (error) {
        if (!isStrongroomError(error, 'not_found')) throw error;
        parts.guard.wrongToken(origin.ip);
        throw unknown();
      }
    },

    async send(caller, userId, origin) {
      const { tenant } = caller;
      await users.below(tenant.db.read, caller, userId);
      parts.guard.invitation(caller.user.id);
      return tenant.db.transaction(async (tx) => {
        const user = await users.below(tx, caller, userId);
        const { token, expiresAt } = await makeReset(sessionTx(tx), tenant.id, user.id, sentMs);
        await post.queue(tx, tenant, resetMail(user.email, links.passwordReset(token), expiresAt));
        await audit.record(tx, tenant, {
          action: 'password.reset_sent',
          actor: caller.actor,
          target: user.id,
          outcome: 'success',
          details: { by_mail: post.configured },
          source: sourceOf(origin),
        });
        return { sent: post.configured, expiresAt, token: post.configured ? undefined : token };
      });
    },
  };
}
