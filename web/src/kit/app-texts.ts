/** The texts of the shell and the shared parts, for those who show them. */
import { en } from './app-texts.en.ts';
import { defineTexts } from './texts.ts';

export const appTexts = defineTexts(en, async () => (await import('./app-texts.de.ts')).de);
