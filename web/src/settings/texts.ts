/** The texts of settings of the company. */
import { defineTexts } from '../kit/texts.ts';
import { de } from './texts.de.ts';
import { en } from './texts.en.ts';

export const settingsTexts = defineTexts(en, de);
