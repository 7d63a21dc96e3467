/** German texts of people and invitations. */
import type { Translation } from '../kit/texts.ts';
import type { en } from './texts.en.ts';

export const de: Translation<typeof en> = {
  nav: 'Personen',
};
