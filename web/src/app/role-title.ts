/** Roles as people call them. */
import { roleNames } from '../../../src/kernel/roles.ts';
import type { appTexts } from '../kit/app-texts.ts';
import type { TextTable, Translate } from '../kit/texts.ts';

type AppKey = typeof appTexts extends TextTable<infer Key> ? Key : never;
export type RoleName = (typeof roleNames)[number] | 'system_admin';

/** @param t of `appTexts`. A role that we do not know is shown as it is written. */
export function roleTitle(t: Translate<AppKey>, role: string): string {
  const known: readonly string[] = [...roleNames, 'system_admin'];
  return known.includes(role) ? t(`role.${role as RoleName}`) : role;
}
