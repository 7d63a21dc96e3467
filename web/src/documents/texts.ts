/** The texts of the documents workspace. */
import { defineTexts } from '../kit/texts.ts';
import { de } from './texts.de.ts';
import { en } from './texts.en.ts';

export const documentsTexts = defineTexts(en, de);
export type DocumentsKey = keyof typeof en;
