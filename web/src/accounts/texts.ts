/** The texts of signing in, invitations, passwords and the own account. */
import { defineTexts } from '../kit/texts.ts';
import { en } from './texts.en.ts';

export const accountsTexts = defineTexts(en, async () => (await import('./texts.de.ts')).de);
