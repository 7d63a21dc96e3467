/** The texts of the shell and the shared parts, for those who show them. */
import { de } from './app-texts.de.ts';
import { en } from './app-texts.en.ts';
import { defineTexts } from './texts.ts';

export const appTexts = defineTexts(en, de);
