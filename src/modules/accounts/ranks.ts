/** "Only below yourself": who may see and change whom. Pure. */
import type { MemberCaller } from '../../kernel/handles.ts';
import { highestRole, type Preset, presets, type Role, roleDefinition } from '../../kernel/roles.ts';

/** Higher is above. A role that the preset does not know ranks below all. */
export function rankOf(preset: Preset, role: string): number {
  return roleDefinition(preset, role)?.rank ?? 0;
}

export function isBelow(preset: Preset, role: string, than: string): boolean {
  return rankOf(preset, role) < rankOf(preset, than);
}

/** Roles whose people the caller may see besides oneself; null for all, which the highest role sees. */
export function visibleRoles(caller: {
  readonly tenant: Pick<MemberCaller['tenant'], 'preset'>;
  readonly user: { readonly role: Role };
}): string[] | null {
  const { preset } = caller.tenant;
  const { role } = caller.user;
  if (role === highestRole[preset]) return null;
  return Object.keys(presets[preset]).filter((other) => isBelow(preset, other, role));
}
