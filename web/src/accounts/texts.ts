/** The texts of signing in, invitations, passwords and the own account. */
import { defineTexts } from '../kit/texts.ts';
import { de } from './texts.de.ts';
import { en } from './texts.en.ts';

export const accountsTexts = defineTexts(en, de);
