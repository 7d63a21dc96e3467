/** Every area of the app, in the order of the navigation. */
import { accountsArea } from '../accounts/area.ts';
import { documentsArea } from '../documents/area.ts';
import { fleetArea } from '../fleet/area.ts';
import { peopleArea } from '../people/area.ts';
import { settingsArea } from '../settings/area.ts';
import { uploadsArea } from '../uploads/area.ts';
import type { Area } from './area.ts';

export const areas: readonly Area[] = [documentsArea, uploadsArea, peopleArea, settingsArea, fleetArea, accountsArea];
