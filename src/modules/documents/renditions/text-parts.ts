/** A text as the two parts that are made of it: its beginning to be shown, and all of it that is kept. */
import { bounds } from './kinds.ts';
import { cutText } from './plain-text.ts';
import type { Made } from './program.ts';

export function madeOfText(text: string, pages: number | null = null): Made {
  const whole = cutText(text, bounds.text);
  const shown = cutText(text, bounds.previewText);
  return {
    pages,
    truncated: whole.truncated,
    parts: [
      { role: 'preview', page: 1, type: 'text/plain', bytes: shown.bytes },
      { role: 'text', page: 1, type: 'text/plain', bytes: whole.bytes },
    ],
  };
}
