/**
 * What an area of the app brings: its routes, its entries in the navigation, and its commands. An area is a folder with
 * an `area.ts`; `areas.ts` lists them. See web/README.md.
 */
import type { AnyRoute } from '@tanstack/react-router';
import type { ComponentType } from 'react';
import type { Permission } from '../../../src/kernel/roles.ts';
import type { IconName } from '../kit/icon.tsx';
import type { Language } from '../kit/language.ts';
import type { SignedInSession } from './session.ts';

/** Who sees an entry or a command. Without permissions: every member, or every operator. */
export interface Audience {
  readonly who: 'member' | 'operator' | 'everybody';
  readonly anyOf?: readonly Permission[];
}

export interface NavEntry {
  readonly label: (language: Language) => string;
  readonly icon: IconName;
  /** The address it leads to; marked as current for it and what lies below. */
  readonly to: string;
  readonly audience: Audience;
  /** Smaller stands higher. */
  readonly order: number;
}

/** A command of the palette that is always there. Commands of one page are registered by `useCommands`. */
export interface AreaCommand {
  readonly id: string;
  readonly label: (language: Language) => string;
  readonly icon: IconName;
  readonly audience: Audience;
  /** Leads to an address. */
  readonly to: string;
}

export interface Area {
  readonly name: string;
  readonly routes: {
    readonly visitor?: readonly AnyRoute[];
    readonly everybody?: readonly AnyRoute[];
    readonly company?: readonly AnyRoute[];
    readonly operator?: readonly AnyRoute[];
  };
  readonly nav?: readonly NavEntry[];
  readonly commands?: readonly AreaCommand[];
  /** Stands beside every page of the shell (a tray, an overlay, a source of the palette). Load what is large lazily. */
  readonly beside?: { readonly component: ComponentType; readonly audience: Audience };
}

export function mayEnter(session: SignedInSession, audience: Audience): boolean {
  const operator = session.company === null;
  if (audience.who === 'operator' && !operator) return false;
  if (audience.who === 'member' && operator) return false;
  const { anyOf } = audience;
  return anyOf === undefined || anyOf.some((permission) => session.user.permissions.includes(permission));
}
