/** The texts of people and invitations. */
import { defineTexts } from '../kit/texts.ts';
import { de } from './texts.de.ts';
import { en } from './texts.en.ts';

export const peopleTexts = defineTexts(en, de);
