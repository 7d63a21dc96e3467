/** What becomes of a session: refreshed, ended, listed, or joined by one in another company of the same person. */
import { forbidden, notFound, unauthenticated } from '../../kernel/errors.ts';
import type { MemberCaller, OperatorCaller, Tenant } from '../../kernel/handles.ts';
import { isId, type TenantId } from '../../kernel/ids.ts';
import { operatorRole } from '../../kernel/roles.ts';
import { sessionAnswer } from './answers.ts';
import type { SessionAnswer } from './contract.ts';
import type { Finder } from './finder.ts';
import { parseToken } from './opaque-tokens.ts';
import { type Parts, sourceOf } from './parts.ts';
import { link, linkedWith } from './person-links.ts';
import { type UserRow, userById, userByName } from './repository.ts';
import { type Origin, type Rotation, sessionReader, sessionTx } from './session-store.ts';
import { invalidCredentials, type SignedIn, type SignIn } from './sign-in.ts';

export interface Pair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export type SignedInCaller = MemberCaller | OperatorCaller;

export interface Sessions {
  /** @throws unauthenticated `invalid_token` whatever is wrong with it */
  refresh(token: string, origin: Origin): Promise<Pair>;
  end(caller: SignedInCaller, sessionId: string, origin: Origin): Promise<void>;
  endOthers(caller: SignedInCaller, origin: Origin): Promise<void>;
  list(
    caller: SignedInCaller,
    page: { limit: number; before?: string | undefined; total?: boolean | undefined },
  ): Promise<{ items: SessionAnswer[]; next: string | null; total?: number }>;
  switchTo(caller: MemberCaller, companyId: string, password: string | undefined, origin: Origin): Promise<SignedIn>;
}

const refusedToken = () => unauthenticated('The refresh token is not valid. Sign in again.', 'invalid_token');

export function createSessions(parts: Parts, finder: Finder, signIn: SignIn): Sessions {
  const { kernel, sessions, tokens } = parts;
  const { audit, clock, control } = kernel;

  async function refreshMember(home: TenantId, token: string, origin: Origin): Promise<Pair> {
    const tenant = await finder.openCompany(home);
    if (tenant === undefined) throw refusedToken();
    const known = await sessionReader(tenant.db.read)
      .selectFrom('refresh_tokens')
      .select('session_id')
      .where('hash', '=', parseToken(token)!.hash)
      .executeTakeFirst();
    if (known === undefined) throw refusedToken();
    const done = await tenant.db.transaction(async (tx) => {
      const now = clock.now();
      const user = await userOfSession(tx, known.session_id);
      if (user === undefined || user.is_active !== 1) return { rotation: undefined, user };
      const rotation = await sessions.rotate(sessionTx(tx), home, token, now);
      if (rotation.result === 'reused') {
        const actor = { kind: 'user', id: user.id, role: user.role, sessionId: rotation.sessionId } as const;
        await audit.record(tx, tenant, {
          action: 'session.refresh_reused',
          actor,
          target: rotation.sessionId,
          outcome: 'refused',
          source: sourceOf(origin),
        });
      }
      return { rotation, user };
    });
    if (done.user === undefined || done.rotation?.result !== 'rotated') throw refusedToken();
    const claims = { sub: done.user.id, company_id: home, role: done.user.role, sid: done.rotation.sessionId };
    return { accessToken: await tokens.sign(claims), refreshToken: done.rotation.refreshToken };
  }

  async function userOfSession(tx: Parameters<typeof userById>[0], sessionId: string): Promise<UserRow | undefined> {
    const row = await tx.selectFrom('sessions').select('user_id').where('id', '=', sessionId).executeTakeFirst();
    return row === undefined ? undefined : userById(tx, row.user_id);
  }

  async function refreshOperator(token: string, origin: Origin): Promise<Pair> {
    const hash = parseToken(token)!.hash;
    const known = await control.read
      .selectFrom('refresh_tokens')
      .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
      .innerJoin('operators', 'operators.id', 'sessions.user_id')
      .select(['operators.id', 'operators.is_active'])
      .where('refresh_tokens.hash', '=', hash)
      .executeTakeFirst();
    if (known?.is_active !== 1) throw refusedToken();
    const rotation: Rotation = await control.transaction(async (tx) => {
      const done = await sessions.rotate(sessionTx(tx), 'system', token, clock.now());
      if (done.result === 'reused') {
        await audit.recordFleet(tx, {
          action: 'session.refresh_reused',
          actor: { kind: 'operator', id: known.id, sessionId: done.sessionId },
          target: done.sessionId,
          outcome: 'refused',
          source: sourceOf(origin),
        });
      }
      return done;
    });
    if (rotation.result !== 'rotated') throw refusedToken();
    const accessToken = await tokens.sign({ sub: known.id, role: operatorRole, sid: rotation.sessionId });
    return { accessToken, refreshToken: rotation.refreshToken };
  }

  async function endOne(caller: SignedInCaller, sessionId: string, origin: Origin): Promise<void> {
    if (!isId('session', sessionId)) throw notFound();
    const now = clock.now();
    const entry = {
      action: 'session.ended',
      actor: caller.actor,
      target: sessionId,
      outcome: 'success',
      source: sourceOf(origin),
    } as const;
    const done =
      caller.kind === 'member'
        ? await caller.tenant.db.transaction(async (tx) => {
            const ended = await sessions.end(sessionTx(tx), caller.user.id, sessionId, 'signed_out', now);
            if (ended) await audit.record(tx, caller.tenant, entry);
            return ended;
          })
        : await control.transaction(async (tx) => {
            const ended = await sessions.end(sessionTx(tx), caller.operator.id, sessionId, 'signed_out', now);
            if (ended) await audit.recordFleet(tx, entry);
            return ended;
          });
    if (!done) throw notFound();
  }

  async function endOthers(caller: SignedInCaller, origin: Origin): Promise<void> {
    const now = clock.now();
    const entry = { action: 'session.others_ended', actor: caller.actor, outcome: 'success' } as const;
    const source = sourceOf(origin);
    if (caller.kind === 'member') {
      await caller.tenant.db.transaction(async (tx) => {
        await sessions.endAll(sessionTx(tx), caller.user.id, 'signed_out', now, caller.sessionId);
        await audit.record(tx, caller.tenant, { ...entry, target: caller.user.id, source });
      });
    } else {
      await control.transaction(async (tx) => {
        await sessions.endAll(sessionTx(tx), caller.operator.id, 'signed_out', now, caller.sessionId);
        await audit.recordFleet(tx, { ...entry, target: caller.operator.id, source });
      });
    }
  }

  async function enterLinked(tenant: Tenant, userId: string, origin: Origin): Promise<SignedIn> {
    const entered = await tenant.db.transaction(async (tx) => {
      const user = await userById(tx, userId);
      if (user?.is_active !== 1) return undefined;
      return { user, session: await signIn.begin(tx, tenant, user, origin, 'switch') };
    });
    if (entered === undefined) throw invalidCredentials();
    return signIn.finish(tenant, entered.user, entered.session);
  }

  /**
   * With the password there: checked like any sign-in, with the address of the caller. Whether the company exists and
   * knows the address shows in nothing.
   */
  async function enterAndLink(caller: MemberCaller, companyId: string, password: string, origin: Origin) {
    const name = caller.user.email;
    parts.guard.begin(origin.ip, name);
    const named = await finder.openNamed(companyId);
    const tenant = named?.id === caller.tenant.id ? undefined : named;
    const user = tenant === undefined ? undefined : await userByName(tenant.db.read, name);
    const fits = await parts.passwords.verify(user?.password_hash, password);
    if (tenant === undefined || user === undefined || !fits || user.is_active !== 1) {
      parts.background.run('auditing a refused switch', () =>
        audit.note(caller.tenant, {
          action: 'session.switch_refused',
          actor: caller.actor,
          target: caller.user.id,
          outcome: 'refused',
          source: sourceOf(origin),
        }),
      );
      throw invalidCredentials();
    }
    const signedIn = await signIn.enter(tenant, user, password, origin, 'switch');
    parts.guard.succeeded(origin.ip, name);
    const here = { tenantId: caller.tenant.id, userId: caller.user.id };
    const there = { tenantId: tenant.id, userId: user.id };
    await control.transaction((tx) => link(tx, here, there, clock.iso()));
    const { id, slug, name: companyName } = caller.tenant;
    const known = signedIn.companies.some((one) => one.id === id);
    return known ? signedIn : { ...signedIn, companies: [...signedIn.companies, { id, slug, name: companyName }] };
  }

  return {
    async refresh(token, origin) {
      const parsed = parseToken(token);
      if (parsed === undefined) throw refusedToken();
      return parsed.home === 'system' ? refreshOperator(token, origin) : refreshMember(parsed.home, token, origin);
    },
    end: endOne,
    endOthers,
    async list(caller, page) {
      const [reader, userId] =
        caller.kind === 'member'
          ? [sessionReader(caller.tenant.db.read), caller.user.id]
          : [sessionReader(control.read), caller.operator.id];
      const rows = await sessions.list(reader, userId, { ...page, limit: page.limit + 1 }, clock.now());
      const items = rows.slice(0, page.limit);
      return {
        items: items.map((row) => sessionAnswer(row, caller.sessionId)),
        next: rows.length > page.limit ? items.at(-1)!.id : null,
        ...(page.total === true ? { total: await sessions.count(reader, userId, clock.now()) } : {}),
      };
    },
    async switchTo(caller, companyId, password, origin) {
      if (password !== undefined) return enterAndLink(caller, companyId, password, origin);
      const linked = await linkedWith(control.read, { tenantId: caller.tenant.id, userId: caller.user.id });
      const membership = linked.find((one) => one.tenantId === companyId);
      if (membership === undefined) {
        throw forbidden('Give the password of that company, once, to link the two.', 'password_required');
      }
      const tenant = await finder.openCompany(membership.tenantId);
      if (tenant === undefined) throw forbidden('This company is not open now.', 'company_closed');
      return enterLinked(tenant, membership.userId, origin);
    },
  };
}
