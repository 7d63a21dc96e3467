/** The texts of uploads. */
import { defineTexts } from '../kit/texts.ts';
import { en } from './texts.en.ts';

export const uploadsTexts = defineTexts(en, async () => (await import('./texts.de.ts')).de);
