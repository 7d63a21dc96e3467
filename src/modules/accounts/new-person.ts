/**
 * How a person comes to be in a company, whatever the way (invitation, registration, import): the directory is told
 * first, as pending; the company's own transaction decides; then the directory is told that it is so.
 */

import type { TenantTx } from '../../kernel/database/database.ts';
import { isUniqueViolation } from '../../kernel/database/unique-violation.ts';
import { conflict } from '../../kernel/errors.ts';
import type { Actor, Tenant } from '../../kernel/handles.ts';
import { newId } from '../../kernel/ids.ts';
import type { Role } from '../../kernel/roles.ts';
import type { Parts } from './parts.ts';
import { insertUser, type UserRow, userByName } from './repository.ts';

export interface NewPerson {
  readonly email: string;
  readonly username: string | null;
  readonly fullName: string;
  readonly role: Role;
  readonly passwordHash: string | null;
}

/** @throws conflict `already_user` | `username_taken` */
export async function requireFreeNames(
  reader: Parameters<typeof userByName>[0],
  person: Pick<NewPerson, 'email' | 'username'>,
): Promise<void> {
  if ((await userByName(reader, person.email)) !== undefined) {
    throw conflict('already_user', 'This address belongs to a user of the company already.');
  }
  if (person.username !== null && (await userByName(reader, person.username)) !== undefined) {
    throw conflict('username_taken', 'This user name is taken in the company.');
  }
}

/** Two at once on PostgreSQL: the index decides, and says the same as the look-up would have. */
function takenName(error: unknown): unknown {
  const violation = isUniqueViolation(error);
  if (violation === false) return error;
  return violation.constraint === 'users_username' || violation.columns?.includes('username')
    ? conflict('username_taken', 'This user name is taken in the company.')
    : conflict('already_user', 'This address belongs to a user of the company already.');
}

/**
 * Makes a person. `within` runs in the same transaction, after the row is there; what it returns is returned. Nothing is
 * left where it throws, but for a hint that the next visitor removes.
 */
export async function makePerson<T>(
  parts: Pick<Parts, 'kernel' | 'directory'>,
  tenant: Tenant,
  person: NewPerson,
  actor: (user: UserRow) => Actor,
  steps: {
    /** Before the row is written. */
    readonly before?: (tx: TenantTx, userId: string) => Promise<void>;
    readonly within: (tx: TenantTx, user: UserRow) => Promise<T>;
  },
): Promise<T> {
  const { directory, kernel } = parts;
  const { clock } = kernel;
  const userId = newId('user', clock.now());
  const names = person.username === null ? [person.email] : [person.email, person.username];
  await directory.reserve(tenant.id, userId, names);
  let result: T;
  try {
    result = await tenant.db.transaction(async (tx) => {
      await steps.before?.(tx, userId);
      await requireFreeNames(tx, person);
      const at = clock.iso();
      const user: UserRow = {
        id: userId,
        username: person.username,
        email: person.email,
        full_name: person.fullName,
        role: person.role,
        password_hash: person.passwordHash,
        is_active: 1,
        created_at: at,
        updated_at: at,
        last_sign_in_at: null,
      };
      await insertUser(tx, user);
      await kernel.events.record(tx, { actor: actor(user), clock }, 'user.created', {
        user_id: userId,
        role: person.role,
      });
      return steps.within(tx, user);
    });
  } catch (error) {
    await directory.release(tenant.id, userId).catch(() => {});
    throw takenName(error);
  }
  // A crash before this line leaves a pending row that leads to a person: the first sign-in confirms it.
  await directory.confirm(tenant.id, userId).catch(() => {});
  return result;
}
