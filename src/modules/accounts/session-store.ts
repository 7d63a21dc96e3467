/**
 * Sessions and their refresh tokens, kept alike for the people of a company (in its database) and for operators (in the
 * control database). Every statement on these tables that writes is here.
 *
 * A refresh token works once: one conditional update consumes it. Its successor is derived from it under a key of the
 * ring, so that a repeat within ten seconds (an answer that was lost, or fifty requests at once) gives the very same
 * token without keeping it anywhere.
 */
import { day, isoTime, second } from '../../kernel/clock.ts';
import type { ControlTx, Reader, TenantTx, Transaction } from '../../kernel/database/database.ts';
import type { Secrets } from '../../kernel/secrets.ts';
import { hashToken, newToken, type TokenHome, tokenOf } from './opaque-tokens.ts';
import type { PasswordResetTable, RefreshTokenTable, SessionTable } from './tables.ts';

export interface SessionTables {
  sessions: SessionTable;
  refresh_tokens: RefreshTokenTable;
  password_resets: PasswordResetTable;
}
export type SessionReader = Reader<SessionTables>;
export type SessionTx = Transaction<SessionTables>;

/** Both kinds of database hold these tables; here they are seen as nothing more. */
export function sessionTx(tx: TenantTx | ControlTx | Transaction<never>): SessionTx {
  return tx as unknown as SessionTx;
}
export function sessionReader(reader: unknown): SessionReader {
  return reader as SessionReader;
}

/** How long the same refresh token gives the same successor. */
export const lostAnswerMs = 10 * second;
const agentLength = 300;

export interface Origin {
  readonly ip?: string | undefined;
  readonly requestId?: string | undefined;
  readonly userAgent?: string | undefined;
  readonly client: 'api' | 'web';
}

/** The id that a new session is to have, and whose it is. */
export interface SessionKey {
  readonly id: string;
  readonly userId: string;
}

export interface NewSession {
  readonly sessionId: string;
  readonly refreshToken: string;
}

export type Rotation =
  | { readonly result: 'rotated'; readonly sessionId: string; readonly userId: string; readonly refreshToken: string }
  /** Used before, too long ago: somebody has a copy. The session has been ended. */
  | { readonly result: 'reused'; readonly sessionId: string; readonly userId: string }
  | { readonly result: 'refused' };

export interface SessionStore {
  /** Its statements go to the database in one go, with whatever the caller sends beside them. */
  create(tx: SessionTx, home: TokenHome, session: SessionKey, origin: Origin, now: number): Promise<NewSession>;
  rotate(tx: SessionTx, home: TokenHome, token: string, now: number): Promise<Rotation>;
  /** True where the session lived and is this user's. */
  end(tx: SessionTx, userId: string, sessionId: string, reason: string, now: number): Promise<boolean>;
  /** Ends all of a user's sessions, but for one. Returns how many. */
  endAll(tx: SessionTx, userId: string, reason: string, now: number, except?: string): Promise<number>;
  endEverybodys(tx: SessionTx, reason: string, now: number): Promise<void>;
  touch(tx: SessionTx, sessionId: string, now: number): Promise<void>;
  list(
    reader: SessionReader,
    userId: string,
    page: { limit: number; before?: string | undefined },
    now: number,
  ): Promise<SessionTable[]>;
  /** How many of a person's sessions live. */
  count(reader: SessionReader, userId: string, now: number): Promise<number>;
}

export function createSessionStore(secrets: Pick<Secrets, 'digest'>, refreshDays: number): SessionStore {
  const life = refreshDays * day;

  const successorOf = (home: TokenHome, token: string) =>
    tokenOf(home, Buffer.from(secrets.digest('accounts:refresh-successor', token), 'hex').toString('base64url'));

  async function store(tx: SessionTx, token: string, sessionId: string, now: number): Promise<void> {
    const row = {
      hash: hashToken(token),
      session_id: sessionId,
      created_at: isoTime(now),
      expires_at: isoTime(now + life),
      used_at: null,
    };
    await tx.insertInto('refresh_tokens').values(row).execute();
  }

  async function find(tx: SessionTx, token: string) {
    return tx
      .selectFrom('refresh_tokens')
      .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
      .select([
        'refresh_tokens.used_at',
        'refresh_tokens.expires_at',
        'sessions.id',
        'sessions.user_id',
        'sessions.ended_at',
        'sessions.expires_at as session_expires_at',
      ])
      .where('refresh_tokens.hash', '=', hashToken(token))
      .executeTakeFirst();
  }

  async function consume(tx: SessionTx, token: string, now: number): Promise<boolean> {
    const done = await tx
      .updateTable('refresh_tokens')
      .set({ used_at: isoTime(now) })
      .where('hash', '=', hashToken(token))
      .where('used_at', 'is', null)
      .executeTakeFirst();
    return Number(done.numUpdatedRows) === 1;
  }

  async function end(tx: SessionTx, userId: string, sessionId: string, reason: string, now: number): Promise<boolean> {
    const done = await tx
      .updateTable('sessions')
      .set({ ended_at: isoTime(now), end_reason: reason })
      .where('id', '=', sessionId)
      .where('user_id', '=', userId)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    return Number(done.numUpdatedRows) > 0;
  }

  return {
    async create(tx, home, { id: sessionId, userId }, origin, now) {
      const at = isoTime(now);
      const row: SessionTable = {
        id: sessionId,
        user_id: userId,
        client: origin.client,
        ip: origin.ip ?? null,
        user_agent: origin.userAgent?.slice(0, agentLength) ?? null,
        created_at: at,
        last_seen_at: at,
        expires_at: isoTime(now + life),
        ended_at: null,
        end_reason: null,
      };
      const { token } = newToken(home);
      await Promise.all([
        // What expired goes when its owner signs in again: nothing needs to visit idle companies for it.
        tx.deleteFrom('refresh_tokens').where('expires_at', '<', at).execute(),
        tx.deleteFrom('sessions').where('expires_at', '<', at).execute(),
        tx.insertInto('sessions').values(row).execute(),
        store(tx, token, sessionId, now),
      ]);
      return { sessionId, refreshToken: token };
    },

    async rotate(tx, home, token, now) {
      const row = await find(tx, token);
      const at = isoTime(now);
      if (row === undefined || row.ended_at !== null || row.expires_at <= at || row.session_expires_at <= at) {
        return { result: 'refused' };
      }
      const { id: sessionId, user_id: userId } = row;
      const refreshToken = successorOf(home, token);
      if (row.used_at === null && (await consume(tx, token, now))) {
        await store(tx, refreshToken, sessionId, now);
        await tx
          .updateTable('sessions')
          .set({ last_seen_at: at, expires_at: isoTime(now + life) })
          .where('id', '=', sessionId)
          .execute();
        return { result: 'rotated', sessionId, userId, refreshToken };
      }
      // Consumed before, or (on PostgreSQL) by a request that came first while this one waited.
      const usedAt = row.used_at ?? (await find(tx, token))?.used_at ?? at;
      if (Math.abs(now - Date.parse(usedAt)) <= lostAnswerMs) {
        return { result: 'rotated', sessionId, userId, refreshToken };
      }
      await end(tx, userId, sessionId, 'refresh_reused', now);
      return { result: 'reused', sessionId, userId };
    },

    end,

    async endAll(tx, userId, reason, now, except) {
      const done = await tx
        .updateTable('sessions')
        .set({ ended_at: isoTime(now), end_reason: reason })
        .where('user_id', '=', userId)
        .where('ended_at', 'is', null)
        .where('id', '!=', except ?? '')
        .executeTakeFirst();
      return Number(done.numUpdatedRows);
    },

    async endEverybodys(tx, reason, now) {
      await tx
        .updateTable('sessions')
        .set({ ended_at: isoTime(now), end_reason: reason })
        .where('ended_at', 'is', null)
        .execute();
    },

    async touch(tx, sessionId, now) {
      await tx
        .updateTable('sessions')
        .set({ last_seen_at: isoTime(now) })
        .where('id', '=', sessionId)
        .execute();
    },

    async count(reader, userId, now) {
      const row = await reader
        .selectFrom('sessions')
        .select((eb) => eb.fn.countAll().as('living'))
        .where('user_id', '=', userId)
        .where('ended_at', 'is', null)
        .where('expires_at', '>', isoTime(now))
        .executeTakeFirstOrThrow();
      return Number(row.living);
    },
    async list(reader, userId, page, now) {
      return reader
        .selectFrom('sessions')
        .selectAll()
        .where('user_id', '=', userId)
        .where('ended_at', 'is', null)
        .where('expires_at', '>', isoTime(now))
        .$if(page.before !== undefined, (query) => query.where('id', '<', page.before!))
        .orderBy('id', 'desc')
        .limit(page.limit)
        .execute();
    },
  };
}
