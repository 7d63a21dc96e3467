/** The texts of the page of one document. */
import { defineTexts } from '../../kit/texts.ts';
import { en } from './texts.en.ts';

export const documentTexts = defineTexts(en, async () => (await import('./texts.de.ts')).de);
