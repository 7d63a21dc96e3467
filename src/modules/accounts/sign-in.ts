/**
 * Signing in: one look-up, one hash, one answer for everything that is wrong.
 */
import { isoTime } from '../../kernel/clock.ts';
import type { TenantTx } from '../../kernel/database/database.ts';
import { StrongroomError, unauthenticated } from '../../kernel/errors.ts';
import type { Actor, Tenant } from '../../kernel/handles.ts';
import { newId } from '../../kernel/ids.ts';
import { operatorRole } from '../../kernel/roles.ts';
import { companyRef, signedInOperator, signedInUser } from './answers.ts';
import type { CompanyRef, SignedInUser } from './contract.ts';
import type { Account, Finder } from './finder.ts';
import { type Parts, sourceOf } from './parts.ts';
import { linkedWith } from './person-links.ts';
import { type UserRow, updateUser, userById } from './repository.ts';
import { type NewSession, type Origin, sessionTx } from './session-store.ts';
import type { OperatorTable } from './tables.ts';

/** A new session with both its tokens. */
export interface SignedIn {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly user: SignedInUser;
  readonly company: CompanyRef | null;
  readonly companies: readonly CompanyRef[];
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly company?: string | undefined;
}

export const invalidCredentials = () =>
  unauthenticated('User name, password or company is wrong.', 'invalid_credentials');

export interface SignIn {
  login(credentials: Credentials, origin: Origin): Promise<SignedIn>;
  /** Inside a transaction of the company: a session for a person whose right to it has been proven there. */
  begin(tx: TenantTx, tenant: Tenant, user: UserRow, origin: Origin, how: string): Promise<NewSession>;
  /** After that transaction: the tokens and the answer. */
  finish(tenant: Tenant, user: UserRow, session: NewSession): Promise<SignedIn>;
  finishOperator(operator: OperatorTable, session: NewSession): Promise<SignedIn>;
  /** This company and the active ones that the person has linked with it. */
  companiesOf(tenant: Pick<Tenant, 'id' | 'name' | 'slug'>, userId: string): Promise<CompanyRef[]>;
  /** Re-reads the person and begins a session where the hash that was checked is still theirs. */
  enter(tenant: Tenant, checked: UserRow, password: string, origin: Origin, how: string): Promise<SignedIn>;
}

export function createSignIn(parts: Parts, finder: Finder): SignIn {
  const { kernel, passwords, tokens, sessions } = parts;
  const { audit, control, clock } = kernel;

  function noteRefusal(account: Account | undefined, given: string, origin: Origin, reason: string): void {
    const source = sourceOf(origin);
    const actor: Actor = { kind: 'anonymous' };
    // The name itself stays out of the fleet's trail: it may be a person's of any company, or a password typed there.
    const name = parts.directory.digest(given).slice(0, 16);
    parts.background.run('auditing a refused sign-in', () =>
      account?.kind === 'member'
        ? audit.note(account.tenant, {
            action: 'session.refused',
            actor,
            target: account.user.id,
            outcome: 'refused',
            details: { reason },
            source,
          })
        : audit.noteFleet({
            action: 'session.refused',
            actor,
            target: account?.operator.id ?? null,
            outcome: 'refused',
            details: { reason, name },
            source,
          }),
    );
  }

  async function begin(tx: TenantTx, tenant: Tenant, user: UserRow, origin: Origin, how: string): Promise<NewSession> {
    const now = clock.now();
    const sessionId = newId('session', now);
    // None waits for the answer to another: they go to the database together.
    const [session] = await Promise.all([
      sessions.create(sessionTx(tx), tenant.id, { id: sessionId, userId: user.id }, origin, now),
      updateUser(tx, user.id, { last_sign_in_at: isoTime(now) }),
      audit.record(tx, tenant, {
        action: 'session.created',
        actor: { kind: 'user', id: user.id, role: user.role, sessionId },
        target: sessionId,
        outcome: 'success',
        details: { how, client: origin.client },
        source: sourceOf(origin),
      }),
    ]);
    return session;
  }

  async function companiesOf(tenant: Pick<Tenant, 'id' | 'name' | 'slug'>, userId: string): Promise<CompanyRef[]> {
    const linked = await linkedWith(control.read, { tenantId: tenant.id, userId });
    const others: CompanyRef[] = [];
    for (const one of linked) {
      const record = await kernel.tenants.get(one.tenantId);
      if (record?.state === 'active') others.push(companyRef(record));
    }
    return [companyRef(tenant), ...others];
  }

  async function finish(
    tenant: Tenant,
    user: UserRow,
    session: NewSession,
    companies = companiesOf(tenant, user.id),
  ): Promise<SignedIn> {
    const claims = { sub: user.id, company_id: tenant.id, role: user.role, sid: session.sessionId };
    return {
      accessToken: await tokens.sign(claims),
      refreshToken: session.refreshToken,
      user: signedInUser(tenant.preset, user),
      company: companyRef(tenant),
      companies: await companies,
    };
  }

  async function finishOperator(operator: OperatorTable, session: NewSession): Promise<SignedIn> {
    return {
      accessToken: await tokens.sign({ sub: operator.id, role: operatorRole, sid: session.sessionId }),
      refreshToken: session.refreshToken,
      user: signedInOperator(operator),
      company: null,
      companies: [],
    };
  }

  /** A hash with the present parameters, where the stored one is of others. */
  async function renewedHash(stored: string | null, password: string): Promise<string | undefined> {
    return stored !== null && passwords.outdated(stored) ? passwords.hash(password) : undefined;
  }

  async function enter(
    tenant: Tenant,
    checked: UserRow,
    password: string,
    origin: Origin,
    how: string,
  ): Promise<SignedIn> {
    const renewed = await renewedHash(checked.password_hash, password);
    // Read beside the transaction; one that fails first must not leave this without somebody who listens.
    const companies = companiesOf(tenant, checked.id);
    companies.catch(() => {});
    const entered = await tenant.db.transaction(async (tx) => {
      const user = await userById(tx, checked.id);
      if (user === undefined || user.is_active !== 1 || user.password_hash !== checked.password_hash) return undefined;
      if (renewed !== undefined) await updateUser(tx, user.id, { password_hash: renewed });
      return { user, session: await begin(tx, tenant, user, origin, how) };
    });
    if (entered === undefined) throw invalidCredentials();
    return finish(tenant, entered.user, entered.session, companies);
  }

  async function enterOperator(checked: OperatorTable, password: string, origin: Origin): Promise<SignedIn> {
    const renewed = await renewedHash(checked.password_hash, password);
    const session = await control.transaction(async (tx) => {
      const now = clock.now();
      const row = await tx.selectFrom('operators').selectAll().where('id', '=', checked.id).executeTakeFirst();
      if (row?.is_active !== 1 || row.password_hash !== checked.password_hash) return undefined;
      const made = await sessions.create(
        sessionTx(tx),
        'system',
        { id: newId('session', now), userId: row.id },
        origin,
        now,
      );
      const change = { last_sign_in_at: isoTime(now), password_hash: renewed ?? row.password_hash };
      await tx.updateTable('operators').set(change).where('id', '=', row.id).execute();
      await audit.recordFleet(tx, {
        action: 'session.created',
        actor: { kind: 'operator', id: row.id, sessionId: made.sessionId },
        target: made.sessionId,
        outcome: 'success',
        details: { how: 'password', client: origin.client },
        source: sourceOf(origin),
      });
      return made;
    });
    if (session === undefined) throw invalidCredentials();
    return finishOperator(checked, session);
  }

  async function login(credentials: Credentials, origin: Origin): Promise<SignedIn> {
    const { username, password, company } = credentials;
    const name = username.toLowerCase();
    try {
      parts.guard.begin(origin.ip, name);
    } catch (error) {
      noteRefusal(undefined, name, origin, 'limited');
      throw error;
    }
    const account = await finder.find(name, company);
    const holder = account?.kind === 'operator' ? account.operator : account?.user;
    const fits = await passwords.verify(holder?.password_hash, password);
    if (account === undefined || holder === undefined || !fits || holder.is_active !== 1) {
      noteRefusal(account, name, origin, account === undefined ? 'unknown' : fits ? 'disabled' : 'password');
      throw invalidCredentials();
    }
    try {
      const signedIn =
        account.kind === 'operator'
          ? await enterOperator(account.operator, password, origin)
          : await enter(account.tenant, account.user, password, origin, 'password');
      parts.guard.succeeded(origin.ip, name);
      return signedIn;
    } catch (error) {
      if (error instanceof StrongroomError && error.code === 'invalid_credentials') {
        noteRefusal(account, name, origin, 'changed');
      }
      throw error;
    }
  }

  return { login, begin, finish, finishOperator, companiesOf, enter };
}
