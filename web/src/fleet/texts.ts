/** The texts of the operator console. */
import { defineTexts } from '../kit/texts.ts';
import { de } from './texts.de.ts';
import { en } from './texts.en.ts';

export const fleetTexts = defineTexts(en, de);
