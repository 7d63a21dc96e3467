/** The texts of the operator console. */
import { defineTexts } from '../kit/texts.ts';
import { en } from './texts.en.ts';

export const fleetTexts = defineTexts(en, async () => (await import('./texts.de.ts')).de);
export type FleetKey = keyof typeof en;

/** Steps of the journal that have a name of their own here. */
export const knownSteps = [
  'reserve',
  'refuse',
  'suspend',
  'resume',
  'delete',
  'restore',
  'place',
  'stamp',
  'migrate',
  'seed',
  'bucket',
  'first-invitation',
  'activate',
  'connections',
  'key',
  'database',
  'directory',
  'tombstone',
] as const;
