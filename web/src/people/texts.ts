/** The texts of people and invitations. */
import { defineTexts } from '../kit/texts.ts';
import { en } from './texts.en.ts';

export const peopleTexts = defineTexts(en, async () => (await import('./texts.de.ts')).de);
