/**
 * Operators, and the one way to the first of them: a one-time token that the first start prints. The row that closes
 * this way stands under a constant key and is written in the transaction that makes the operator, so that of sixty-four
 * attempts at once one wins, and the way stays closed for ever, also where the host made the operator.
 */

import type { ControlTx } from '../../kernel/database/database.ts';
import { isUniqueViolation } from '../../kernel/database/unique-violation.ts';
import { conflict, notFound } from '../../kernel/errors.ts';
import type { Actor, OperatorCaller } from '../../kernel/handles.ts';
import { isId, newId } from '../../kernel/ids.ts';
import { hashToken, newSecret } from './opaque-tokens.ts';
import { createTurns, type Parts, sourceOf } from './parts.ts';
import { requireGoodPassword } from './password-rules.ts';
import { type Origin, sessionTx } from './session-store.ts';
import type { SignedIn, SignIn } from './sign-in.ts';
import type { OperatorTable } from './tables.ts';

export interface NewOperator {
  readonly username: string;
  readonly email: string;
  readonly fullName?: string | undefined;
  readonly password: string;
}

export interface Operators {
  list(page: { limit: number; after?: string | undefined; total?: boolean | undefined }): Promise<{
    items: OperatorTable[];
    next: string | null;
    total?: number;
  }>;
  /** Also closes the way of the first. @throws conflict `username_taken` | `email_taken`; invalid `password_…` */
  create(input: NewOperator, actor: Actor, origin?: Origin): Promise<OperatorTable>;
  update(
    caller: OperatorCaller,
    id: string,
    change: { email?: string | undefined; full_name?: string | undefined; is_active?: boolean | undefined },
    origin: Origin,
  ): Promise<OperatorTable>;
  remove(caller: OperatorCaller, id: string, origin: Origin): Promise<void>;
  /** A new one-time token while there is no operator and was none; undefined afterwards. Older ones are dead. */
  ensureSetupToken(): Promise<string | undefined>;
  /** @throws not_found for a wrong token, and for any once there was an operator */
  setUp(input: NewOperator & { token: string }, origin: Origin): Promise<SignedIn>;
}

const slot = 'first-operator';
const closed = () => notFound('There is nothing to set up, or the token is not the right one.');
const nobody = () => notFound('There is no such operator.');

export function createOperators(parts: Parts, signIn: SignIn): Operators {
  const { kernel, passwords, sessions } = parts;
  const { audit, clock, control } = kernel;
  const inTurn = createTurns();

  async function requireFree(tx: ControlTx, names: { username?: string; email?: string }, except = ''): Promise<void> {
    const taken = async (column: 'username' | 'email', value: string | undefined) =>
      value !== undefined &&
      (await tx
        .selectFrom('operators')
        .select('id')
        .where(column, '=', value)
        .where('id', '!=', except)
        .executeTakeFirst()) !== undefined;
    if (await taken('username', names.username)) throw conflict('username_taken', 'This user name is taken.');
    if (await taken('email', names.email)) throw conflict('email_taken', 'This address is taken.');
  }

  async function insert(tx: ControlTx, input: NewOperator, passwordHash: string): Promise<OperatorTable> {
    await requireFree(tx, input);
    const at = clock.iso();
    const row: OperatorTable = {
      id: newId('operator', clock.now()),
      username: input.username,
      email: input.email,
      full_name: input.fullName ?? input.username,
      password_hash: passwordHash,
      is_active: 1,
      created_at: at,
      updated_at: at,
      last_sign_in_at: null,
    };
    try {
      await tx.insertInto('operators').values(row).execute();
    } catch (error) {
      // Two at once on PostgreSQL: the index decides.
      throw isUniqueViolation(error) === false ? error : conflict('username_taken', 'Name or address is taken.');
    }
    return row;
  }

  async function closeSetup(tx: ControlTx): Promise<void> {
    const at = clock.iso();
    await tx
      .insertInto('setup_tokens')
      .values({ slot, token_hash: null, created_at: at, completed_at: at })
      .onConflict((on) => on.column('slot').doUpdateSet({ token_hash: null, completed_at: at }))
      .execute();
  }

  async function requireAnother(tx: ControlTx, id: string): Promise<void> {
    const other = await tx
      .selectFrom('operators')
      .select('id')
      .where('is_active', '=', 1)
      .where('id', '!=', id)
      .executeTakeFirst();
    if (other === undefined) throw conflict('last_operator', 'The last active operator stays.');
  }

  async function one(tx: ControlTx, id: string): Promise<OperatorTable> {
    if (!isId('operator', id)) throw nobody();
    const row = await tx.selectFrom('operators').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined) throw nobody();
    return row;
  }

  const note = (tx: ControlTx, action: string, actor: Actor, target: string, origin: Origin | undefined) =>
    audit.recordFleet(tx, {
      action,
      actor,
      target,
      outcome: 'success',
      ...(origin === undefined ? {} : { source: sourceOf(origin) }),
    });

  async function setUpInTurn(input: NewOperator & { token: string }, origin: Origin): Promise<SignedIn> {
    const hash = hashToken(input.token);
    const open = await control.read
      .selectFrom('setup_tokens')
      .select('slot')
      .where('slot', '=', slot)
      .where('token_hash', '=', hash)
      .where('completed_at', 'is', null)
      .executeTakeFirst();
    if (open === undefined) {
      parts.guard.wrongToken(origin.ip);
      throw closed();
    }
    requireGoodPassword(input.password, input);
    const passwordHash = await passwords.hash(input.password);
    const made = await control.transaction(async (tx) => {
      const at = clock.iso();
      const won = await tx
        .updateTable('setup_tokens')
        .set({ completed_at: at, token_hash: null })
        .where('slot', '=', slot)
        .where('token_hash', '=', hash)
        .where('completed_at', 'is', null)
        .executeTakeFirst();
      if (Number(won.numUpdatedRows) !== 1) throw closed();
      const row = await insert(tx, input, passwordHash);
      const key = { id: newId('session', clock.now()), userId: row.id };
      const session = await sessions.create(sessionTx(tx), 'system', key, origin, clock.now());
      const actor: Actor = { kind: 'operator', id: row.id, sessionId: session.sessionId };
      await note(tx, 'operator.set_up', actor, row.id, origin);
      return { row, session };
    });
    return signIn.finishOperator(made.row, made.session);
  }

  return {
    async list(page) {
      const rows = await control.read
        .selectFrom('operators')
        .selectAll()
        .$if(page.after !== undefined, (query) => query.where('id', '>', page.after!))
        .orderBy('id')
        .limit(page.limit + 1)
        .execute();
      const items = rows.slice(0, page.limit);
      const next = rows.length > page.limit ? items.at(-1)!.id : null;
      if (page.total !== true) return { items, next };
      const count = control.read.selectFrom('operators').select((eb) => eb.fn.countAll().as('all'));
      return { items, next, total: Number((await count.executeTakeFirstOrThrow()).all) };
    },

    async create(input, actor, origin) {
      requireGoodPassword(input.password, input);
      const passwordHash = await passwords.hash(input.password);
      return control.transaction(async (tx) => {
        const row = await insert(tx, input, passwordHash);
        await closeSetup(tx);
        await note(tx, 'operator.created', actor, row.id, origin);
        return row;
      });
    },

    async update(caller, id, change, origin) {
      return control.transaction(async (tx) => {
        const row = await one(tx, id);
        if (change.email !== undefined) await requireFree(tx, { email: change.email }, id);
        if (change.is_active === false && row.is_active === 1) await requireAnother(tx, id);
        const after: OperatorTable = {
          ...row,
          email: change.email ?? row.email,
          full_name: change.full_name ?? row.full_name,
          is_active: change.is_active === undefined ? row.is_active : Number(change.is_active),
          updated_at: clock.iso(),
        };
        const { id: _, ...values } = after;
        await tx.updateTable('operators').set(values).where('id', '=', id).execute();
        if (after.is_active === 0) await sessions.endAll(sessionTx(tx), id, 'deactivated', clock.now());
        await note(tx, 'operator.changed', caller.actor, id, origin);
        return after;
      });
    },

    async remove(caller, id, origin) {
      await control.transaction(async (tx) => {
        const row = await one(tx, id);
        if (row.is_active === 1) await requireAnother(tx, id);
        await sessions.endAll(sessionTx(tx), id, 'removed', clock.now());
        await tx.deleteFrom('password_resets').where('user_id', '=', id).execute();
        await tx.deleteFrom('operators').where('id', '=', id).execute();
        await note(tx, 'operator.removed', caller.actor, id, origin);
      });
    },

    async ensureSetupToken() {
      const token = newSecret();
      const row = { slot, token_hash: hashToken(token), created_at: clock.iso(), completed_at: null };
      return control.transaction(async (tx) => {
        const any = await tx.selectFrom('operators').select('id').limit(1).executeTakeFirst();
        const there = await tx.selectFrom('setup_tokens').selectAll().where('slot', '=', slot).executeTakeFirst();
        if (any !== undefined || (there !== undefined && there.completed_at !== null)) return undefined;
        await tx
          .insertInto('setup_tokens')
          .values(row)
          .onConflict((on) => on.column('slot').doUpdateSet({ token_hash: row.token_hash, created_at: row.created_at }))
          .execute();
        return token;
      });
    },

    setUp(input, origin) {
      parts.guard.beginToken(origin.ip);
      return inTurn(slot, () => setUpInTurn(input, origin));
    },
  };
}
