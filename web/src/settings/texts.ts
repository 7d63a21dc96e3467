/** The texts of settings of the company. */
import { defineTexts } from '../kit/texts.ts';
import { en } from './texts.en.ts';

export const settingsTexts = defineTexts(en, async () => (await import('./texts.de.ts')).de);
