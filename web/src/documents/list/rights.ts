/**
 * What the person may probably do with a document, by the policy table: what would surely be refused is not offered.
 * The server decides; a share is known to it alone.
 */
import { presets, type Role, type RoleDefinition } from '../../../../src/kernel/roles.ts';
import type { SignedInSession } from '../../app/session.ts';

function definitionOf(role: string): RoleDefinition | undefined {
  const all: Record<string, RoleDefinition> = { ...presets.company, ...presets.workspace };
  return Object.hasOwn(all, role) ? all[role as Role] : undefined;
}

interface Owned {
  readonly owner: { readonly id: string };
}

/** Trash, restore, move, rename, tag. */
export function mayManage({ user }: SignedInSession, { owner }: Owned): boolean {
  return owner.id === user.id || definitionOf(user.role)?.changes !== 'own';
}

/** Delete for good, share. */
export function mayOwn({ user }: SignedInSession, { owner }: Owned): boolean {
  return owner.id === user.id || definitionOf(user.role)?.changes === 'all';
}

/** Whether there can be documents of others in the list without a share. */
export function seesOthers({ user }: SignedInSession): boolean {
  return definitionOf(user.role)?.sees !== 'own';
}

export const mayUpload = ({ user }: SignedInSession): boolean => user.permissions.includes('UPLOAD_DOCUMENTS');
