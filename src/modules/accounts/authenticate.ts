/**
 * Who asks: token, then session, person and company as they are at this moment. On the way of every request, so it is
 * one remembered signature and one point query; nothing that grows with the person is read.
 */
import type { CompiledQuery } from 'kysely';
import { isoTime, minute } from '../../kernel/clock.ts';
import type { Dialect, TenantReader } from '../../kernel/database/database.ts';
import { isStrongroomError, unauthenticated } from '../../kernel/errors.ts';
import type { MemberCaller, OperatorCaller, Tenant } from '../../kernel/handles.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Role } from '../../kernel/roles.ts';
import type { AccessClaims } from './access-tokens.ts';
import type { Parts } from './parts.ts';
import { sourceOf } from './parts.ts';
import { type Origin, sessionTx } from './session-store.ts';

type Claims = Pick<AccessClaims, 'sub' | 'sid' | 'role'>;

/** How old `last_seen_at` may be before it is written anew, after the request has gone on. */
const seenEveryMs = minute;

interface LiveRow {
  readonly user_id: string;
  readonly ended_at: string | null;
  readonly expires_at: string;
  readonly last_seen_at: string;
  readonly username: string | null;
  readonly email: string;
  readonly full_name: string;
  readonly role: Role;
  readonly is_active: number;
}

const ended = () => unauthenticated('This session has ended. Sign in again.', 'session_ended');

/** Built once a dialect: making the text of the query costs more than running it. */
const compiled = new Map<Dialect, CompiledQuery<LiveRow>>();

function liveQuery(dialect: Dialect, read: TenantReader, sessionId: string): CompiledQuery<LiveRow> {
  let query = compiled.get(dialect);
  if (query === undefined) {
    query = read
      .selectFrom('sessions')
      .innerJoin('users', 'users.id', 'sessions.user_id')
      .select([
        'sessions.user_id',
        'sessions.ended_at',
        'sessions.expires_at',
        'sessions.last_seen_at',
        'users.username',
        'users.email',
        'users.full_name',
        'users.role',
        'users.is_active',
      ])
      .where('sessions.id', '=', '')
      .compile() as unknown as CompiledQuery<LiveRow>;
    compiled.set(dialect, query);
  }
  return { ...query, parameters: [sessionId] };
}

/** @throws unauthenticated `invalid_token` | `session_ended` | `company_suspended`; unavailable where the database is */
export type Authenticate = (
  token: string,
  origin?: Pick<Origin, 'ip' | 'requestId'>,
) => Promise<OperatorCaller | MemberCaller>;

/** As `Authenticate`, by a ticket for this path. */
export type AuthenticateTicket = (
  ticket: string,
  path: string,
  origin?: Pick<Origin, 'ip' | 'requestId'>,
) => Promise<MemberCaller>;

/** As `Authenticate` for a caller that it gave before, as things stand now: whatever age the access token has by now. */
export type Confirm = (
  caller: OperatorCaller | MemberCaller,
  origin?: Pick<Origin, 'ip' | 'requestId'>,
) => Promise<OperatorCaller | MemberCaller>;

export interface Authentication {
  readonly authenticate: Authenticate;
  readonly authenticateTicket: AuthenticateTicket;
  readonly confirm: Confirm;
}

export function createAuthenticate(parts: Parts): Authentication {
  const { kernel, tokens, sessions } = parts;
  const { clock, control, tenants } = kernel;
  const touching = new Set<string>();

  function touch(sessionId: string, seen: string, write: () => Promise<void>): void {
    if (clock.now() - Date.parse(seen) < seenEveryMs || touching.has(sessionId)) return;
    touching.add(sessionId);
    parts.background.run('noting when a session was last used', () =>
      write().finally(() => touching.delete(sessionId)),
    );
  }

  async function open(companyId: TenantId, claims: Claims, role: Role): Promise<Tenant> {
    try {
      return await tenants.open(companyId, { kind: 'user', id: claims.sub, role, sessionId: claims.sid });
    } catch (error) {
      if (isStrongroomError(error, 'not_found')) throw ended();
      throw error;
    }
  }

  async function member(
    companyId: TenantId,
    claims: Claims,
    origin: Pick<Origin, 'ip' | 'requestId'>,
  ): Promise<MemberCaller> {
    let tenant = await open(companyId, claims, claims.role as Role);
    const { db } = tenant;
    const { rows } = await db.read.executeQuery(liveQuery(db.dialect, db.read, claims.sid));
    const row = rows[0];
    if (row === undefined || row.user_id !== claims.sub) {
      // A token of ours that names a company and a session that do not belong together.
      kernel.audit.attempt(tenant, {
        action: 'isolation.foreign_token',
        actor: { kind: 'anonymous' },
        target: claims.sid,
        outcome: 'refused',
        source: sourceOf(origin),
      });
      throw ended();
    }
    if (row.ended_at !== null || row.is_active !== 1 || row.expires_at <= isoTime(clock.now())) throw ended();
    if (row.role !== claims.role) tenant = await open(companyId, claims, row.role);
    touch(claims.sid, row.last_seen_at, () =>
      tenant.db.transaction((tx) => sessions.touch(sessionTx(tx), claims.sid, clock.now())),
    );
    return {
      kind: 'member',
      actor: { kind: 'user', id: claims.sub, role: row.role, sessionId: claims.sid },
      tenant,
      user: {
        id: claims.sub,
        username: row.username ?? row.email,
        email: row.email,
        fullName: row.full_name,
        role: row.role,
      },
      sessionId: claims.sid,
    };
  }

  async function operator(claims: Pick<AccessClaims, 'sub' | 'sid'>): Promise<OperatorCaller> {
    const row = await control.read
      .selectFrom('sessions')
      .innerJoin('operators', 'operators.id', 'sessions.user_id')
      .select([
        'sessions.ended_at',
        'sessions.expires_at',
        'sessions.last_seen_at',
        'operators.id',
        'operators.username',
        'operators.email',
        'operators.full_name',
        'operators.is_active',
      ])
      .where('sessions.id', '=', claims.sid)
      .executeTakeFirst();
    if (row === undefined || row.id !== claims.sub || row.ended_at !== null || row.is_active !== 1) throw ended();
    if (row.expires_at <= isoTime(clock.now())) throw ended();
    touch(claims.sid, row.last_seen_at, () =>
      control.transaction((tx) => sessions.touch(sessionTx(tx), claims.sid, clock.now())),
    );
    return {
      kind: 'operator',
      actor: { kind: 'operator', id: row.id, sessionId: claims.sid },
      operator: { id: row.id, username: row.username, email: row.email, fullName: row.full_name },
      sessionId: claims.sid,
    };
  }

  return {
    async authenticate(token, origin = {}) {
      const claims = await tokens.verify(token);
      return claims.company_id === undefined ? operator(claims) : member(claims.company_id, claims, origin);
    },
    async authenticateTicket(ticket, path, origin = {}) {
      const claims = parts.tickets.verify(ticket, path);
      return member(claims.company_id, claims, origin);
    },
    async confirm(caller, origin = {}) {
      const sid = caller.sessionId;
      if (caller.kind === 'operator') return operator({ sub: caller.operator.id, sid });
      const { id: sub, role } = caller.user;
      return member(caller.tenant.id, { sub, sid, role }, origin);
    },
  };
}
