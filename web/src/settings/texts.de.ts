/** German texts of settings of the company. */
import type { Translation } from '../kit/texts.ts';
import type { en } from './texts.en.ts';

export const de: Translation<typeof en> = {
  nav: 'Firmeneinstellungen',
};
