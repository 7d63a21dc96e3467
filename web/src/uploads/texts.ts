/** The texts of uploads. */
import { defineTexts } from '../kit/texts.ts';
import { de } from './texts.de.ts';
import { en } from './texts.en.ts';

export const uploadsTexts = defineTexts(en, de);
