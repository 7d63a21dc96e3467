/** The texts of the documents workspace. */
import { defineTexts } from '../kit/texts.ts';
import { en } from './texts.en.ts';

export const documentsTexts = defineTexts(en, async () => (await import('./texts.de.ts')).de);
export type DocumentsKey = keyof typeof en;
