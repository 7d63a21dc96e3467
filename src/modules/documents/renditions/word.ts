/** Word documents as their text: no pictures, no links, no macros, nothing from outside of the file. */
import mammoth from 'mammoth';
import type { Made } from './program.ts';
import { madeOfText } from './text-parts.ts';

export async function makeOfWord(input: Uint8Array): Promise<Made> {
  const { value } = await mammoth.extractRawText({ buffer: Buffer.from(input) });
  return madeOfText(value);
}
