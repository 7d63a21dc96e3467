/**
 * Idempotency keys: the same request sent again gets the same answer and has one effect.
 *
 * Guarantees
 * - Of any number of requests with one key at once, exactly one is told that it is fresh.
 * - The answer is kept for 24 hours, sealed where the route says that it holds secrets. Keys and bodies are kept as
 *   keyed digests alone.
 * - A request that died leaves a lease that ends by itself; one that lives keeps it, however long it takes.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type Clock, day, hour, isoTime, second } from '../clock.ts';
import type { ControlDb, Database } from '../database/database.ts';
import { conflict, invalid, invalidField } from '../errors.ts';
import type { Tenant } from '../handles.ts';
import type { Schedule } from '../jobs/jobs.ts';
import type { Chore } from '../jobs/worker.ts';
import type { Secrets, TenantSecrets } from '../secrets.ts';
import type { IdempotencyTable, IdempotencyTables } from './tables.ts';

export interface IdempotentRequest {
  /** Who asks, so that nobody meets another's key: an id, or `anonymous`. */
  readonly caller: string;
  /** The operation's id in the contract. */
  readonly route: string;
  /** The header's value. */
  readonly key: string;
  /** Digest of what was asked: `bodyDigest`. */
  readonly bodyDigest: string;
  /** The answer holds secrets and is kept sealed. */
  readonly sealed?: boolean;
}

export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The right to have the effect. Exactly one of `complete` and `release` ends it. */
export interface FreshRequest {
  readonly fresh: true;
  /** Keeps the answer for whoever asks again. */
  complete(answer: StoredAnswer): Promise<void>;
  /** Nothing happened: the next request with this key is fresh again. */
  release(): Promise<void>;
}

export interface Replay {
  readonly fresh: false;
  readonly replay: StoredAnswer;
}

export interface Idempotency {
  /**
   * Begins a request with a key, in the company's database or, for `null`, in the control database.
   * @throws conflict `idempotency_running` · invalid `idempotency_key_reused` (another body), `idempotency_key_invalid`
   */
  begin(tenant: Tenant | null, request: IdempotentRequest): Promise<FreshRequest | Replay>;
  /** Removes expired rows of companies, of the control database. */
  readonly prune: Schedule;
  readonly pruneChore: Chore;
  /** Called when the control database has its first row to prune; set by whoever has the worker. */
  onControlRow(told: () => void): void;
}

export interface IdempotencyOptions {
  readonly control: ControlDb;
  readonly secrets: Pick<Secrets, 'control' | 'digest'>;
  readonly clock: Clock;
  /** How long (ms) a request that died keeps its key. Default 30 s. */
  readonly lease?: number;
}

/** SHA-256 over parts of a request: of a JSON body its text, of an upload its fields and the hash of its content. */
export function bodyDigest(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

interface Store {
  readonly db: Database<IdempotencyTables>;
  readonly secrets: TenantSecrets;
}

const keep = day;

export function createIdempotency(options: IdempotencyOptions): Idempotency {
  const { control, secrets, clock, lease = 30 * second } = options;
  const controlStore: Store = { db: control as unknown as Store['db'], secrets: secrets.control };
  const storeOf = (tenant: Tenant | null): Store =>
    tenant === null ? controlStore : { db: tenant.db as unknown as Store['db'], secrets: tenant.secrets };

  let tell = () => {};
  /** The chore knows of rows to come; then further ones need not be told. */
  let scheduled = false;

  async function begin(tenant: Tenant | null, request: IdempotentRequest): Promise<FreshRequest | Replay> {
    if (!/^[\x21-\x7e]{1,255}$/.test(request.key)) {
      throw invalidField('Idempotency-Key', '1 to 255 visible ASCII characters', 'idempotency_key_invalid');
    }
    const store = storeOf(tenant);
    const id = secrets.digest('idempotency:key', JSON.stringify([request.caller, request.route, request.key]));
    const digest = secrets.digest('idempotency:request', request.bodyDigest);
    const owner = randomBytes(12).toString('base64url');
    const now = clock.now();
    const row: IdempotencyTable = {
      id,
      request: digest,
      state: 'running',
      owner,
      lease_until: isoTime(now + lease),
      status: null,
      answer: null,
      sealed: 0,
      expires_at: isoTime(now + keep),
    };
    const known = await store.db.transaction(async (tx) => {
      tx.dueAt(pruneTime(row.expires_at));
      const inserted = await tx
        .insertInto('idempotency')
        .values(row)
        .onConflict((on) => on.column('id').doNothing())
        .executeTakeFirst();
      if ((inserted.numInsertedOrUpdatedRows ?? 0n) > 0n) return null;
      const before = await tx.selectFrom('idempotency').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
      const dead =
        before.expires_at <= clock.iso() || (before.state === 'running' && before.lease_until <= clock.iso());
      if (!dead) return before;
      const taken = await tx
        .updateTable('idempotency')
        .set(row)
        .where('id', '=', id)
        .where('owner', '=', before.owner)
        .executeTakeFirst();
      if (taken.numUpdatedRows > 0n) return null;
      // Another one took it over first.
      return tx.selectFrom('idempotency').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    });
    if (tenant === null && !scheduled) {
      scheduled = true;
      tell();
    }
    if (known === null) return freshRequest(store, id, owner, request.sealed === true);
    if (known.request !== digest) {
      throw invalid(
        'This Idempotency-Key was used before with another request.',
        [{ path: 'Idempotency-Key', message: 'was used before with another request' }],
        'idempotency_key_reused',
      );
    }
    if (known.state === 'running') {
      throw conflict('idempotency_running', 'A request with this Idempotency-Key is still running.');
    }
    return { fresh: false, replay: answerOf(store, known) };
  }

  function freshRequest(store: Store, id: string, owner: string, sealed: boolean): FreshRequest {
    // A request may take longer than its lease (a large upload): it is renewed while this process lives.
    const renewing = setInterval(() => {
      // A failure is seen when the lease ends; the next renewal may succeed before.
      renew(store, id, owner).catch(() => {});
    }, lease / 3);
    renewing.unref();
    return {
      fresh: true,
      async complete(answer) {
        clearInterval(renewing);
        const text = JSON.stringify({ headers: answer.headers, body: answer.body });
        const kept = sealed ? store.secrets.seal(purpose(id), text) : text;
        await store.db.transaction(async (tx) => {
          await tx
            .updateTable('idempotency')
            .set({ state: 'done', status: answer.status, answer: kept, sealed: sealed ? 1 : 0 })
            .where('id', '=', id)
            .where('owner', '=', owner)
            .execute();
        });
      },
      async release() {
        clearInterval(renewing);
        await store.db.transaction(async (tx) => {
          await tx.deleteFrom('idempotency').where('id', '=', id).where('owner', '=', owner).execute();
        });
      },
    };
  }

  async function renew(store: Store, id: string, owner: string): Promise<void> {
    await store.db.transaction(async (tx) => {
      await tx
        .updateTable('idempotency')
        .set({ lease_until: isoTime(clock.now() + lease) })
        .where('id', '=', id)
        .where('owner', '=', owner)
        .where('state', '=', 'running')
        .execute();
    });
  }

  async function nextDue(store: Store): Promise<number | null> {
    const row = await store.db.read
      .selectFrom('idempotency')
      .select('expires_at')
      .orderBy('expires_at')
      .limit(1)
      .executeTakeFirst();
    return row === undefined ? null : pruneTime(row.expires_at);
  }

  async function prune(store: Store): Promise<void> {
    await store.db.transaction(async (tx) => {
      await tx.deleteFrom('idempotency').where('expires_at', '<=', clock.iso()).execute();
    });
  }

  return {
    begin,
    prune: {
      name: 'idempotency-prune',
      nextDue: (tenant) => nextDue(storeOf(tenant)),
      run: (tenant) => prune(storeOf(tenant)),
    },
    pruneChore: {
      name: 'idempotency-prune',
      async nextDue() {
        const due = await nextDue(controlStore);
        scheduled = due !== null;
        return due;
      },
      run: () => prune(controlStore),
    },
    onControlRow(told) {
      tell = told;
    },
  };
}

const purpose = (id: string) => `idempotency:${id}`;

/** At the full hour after it expired, so that keys of one hour go in one visit. */
function pruneTime(expiresAt: string): number {
  return Math.ceil(Date.parse(expiresAt) / hour) * hour;
}

function answerOf(store: Store, row: IdempotencyTable): StoredAnswer {
  const text = row.sealed === 1 ? store.secrets.open(purpose(row.id), row.answer!) : row.answer!;
  const { headers, body } = JSON.parse(text) as Omit<StoredAnswer, 'status'>;
  return { status: row.status!, headers, body };
}
