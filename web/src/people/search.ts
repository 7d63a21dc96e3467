/** What the addresses of people and invitations carry: everything by which the lists are narrowed and ordered. */
import { roleNames } from '../../../src/kernel/roles.ts';

export const peopleSorts = ['role', '-role', 'full_name', '-full_name', 'email', '-email', 'created_at', '-created_at'];
export const statuses = ['pending', 'accepted', 'expired', 'cancelled'] as const;
export type Status = (typeof statuses)[number];
export type RoleName = (typeof roleNames)[number];

export interface PeopleSearch {
  readonly q?: string;
  readonly role?: RoleName;
  readonly state?: 'active' | 'inactive';
  /** Without it by rank, the highest first. */
  readonly sort?: string;
  /** Whose drawer is open. */
  readonly person?: string;
}

export interface InvitationsSearch {
  readonly status?: Status;
}

const oneOf = <T extends string>(value: unknown, all: readonly T[]): T | undefined => all.find((one) => one === value);

/** Only what is set stands in the address. */
export function peopleSearch(given: Record<string, unknown>): PeopleSearch {
  // The router reads digits in an address as a number.
  const q = ['string', 'number'].includes(typeof given.q) ? String(given.q).slice(0, 200) : '';
  const role = oneOf(given.role, roleNames);
  const state = oneOf(given.state, ['active', 'inactive'] as const);
  const sort = oneOf(given.sort, peopleSorts);
  const person = typeof given.person === 'string' && given.person !== '' ? given.person : undefined;
  return {
    ...(q === '' ? {} : { q }),
    ...(role === undefined ? {} : { role }),
    ...(state === undefined ? {} : { state }),
    ...(sort === undefined || sort === 'role' ? {} : { sort }),
    ...(person === undefined ? {} : { person }),
  };
}

export function invitationsSearch(given: Record<string, unknown>): InvitationsSearch {
  const status = oneOf(given.status, statuses);
  return status === undefined ? {} : { status };
}
