/**
 * Shapes of text that people write, shared by every contract. Browser-safe.
 *
 * Text is stored and given back exactly as it was sent, or refused: nothing is trimmed, cut or normalised. Refused is
 * what cannot be seen or would change what is seen around it: control characters, line separators, bidirectional
 * overrides, zero-width and tag characters, noncharacters, lone surrogates, towers of combining marks, and text of
 * nothing but blanks. Lengths are counted in code points; bytes are bounded by them (four at most each).
 */
import { z } from 'zod';

const allowedInLines = new Set([0x09, 0x0a, 0x0d]);
const blank = /^[\p{Z}\p{C}\u115F\u1160\u2800\u3164\uFFA0\s]*$/u;
const tower = /\p{M}{17}/u;

/** Number of code points; a surrogate pair counts once. */
export function codePoints(value: string): number {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
}

function isHidden(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code <= 0x9f) ||
    code === 0x061c ||
    code === 0x180e ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    (code >= 0xfdd0 && code <= 0xfdef) ||
    code === 0xfeff ||
    (code >= 0xfff9 && code <= 0xfffb) ||
    (code & 0xfffe) === 0xfffe ||
    (code >= 0xe0000 && code <= 0xe0fff)
  );
}

export interface TextRules {
  /** Fewest and most code points. Default 1. */
  readonly min?: number;
  readonly max: number;
  /** Line breaks and tabs are allowed. */
  readonly lines?: boolean;
}

/** Why this text may not be stored, or undefined where it may. */
export function textProblem(value: string, rules: TextRules): string | undefined {
  const min = rules.min ?? 1;
  if (value.length > rules.max * 2) return `at most ${rules.max} characters`;
  if (!value.isWellFormed()) return 'not well-formed Unicode: a surrogate stands alone';
  const length = codePoints(value);
  if (length > rules.max) return `at most ${rules.max} characters`;
  if (length < min) return min === 1 ? 'must not be empty' : `at least ${min} characters`;
  for (const letter of value) {
    const code = letter.codePointAt(0)!;
    if (rules.lines === true && allowedInLines.has(code)) continue;
    if (isHidden(code)) {
      return `contains a character that may not stand here (U+${code.toString(16).toUpperCase().padStart(4, '0')})`;
    }
  }
  if (tower.test(value)) return 'too many combining marks in a row';
  if (min > 0 && blank.test(value)) return 'must contain something visible';
  return undefined;
}

/** Text as people write it, by the rules above. */
export function text(rules: TextRules) {
  return z.string().superRefine((value, context) => {
    const message = textProblem(value, rules);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

/** A name: one line of 1 to 200 characters. */
export const NameText = text({ max: 200 });
/** Name of a company. */
export const CompanyNameText = NameText;
/** Name of a person. */
export const FullNameText = NameText;

const emailPattern =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}){0,31}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])$/;

/** Whether this is one e-mail address of the plain form: ASCII, no quotes, no comment, no list, a domain with a dot. */
export function isEmail(value: string): boolean {
  return value.length <= 254 && value.indexOf('@') <= 64 && emailPattern.test(value);
}

/** An e-mail address, given on in lower case. */
export const EmailText = z.string().refine(isEmail, 'an e-mail address, as name@example.com').toLowerCase();

const usernamePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{1,63}$/;

/** Whether this has the form of a user name, in any case. */
export function isUsername(value: string): boolean {
  return usernamePattern.test(value);
}

/** A user name, given on in lower case, in which it is compared. */
export const UsernameText = z
  .string()
  .regex(usernamePattern, '2 to 64 letters, digits, dots, underscores or hyphens, beginning with a letter or digit')
  .toLowerCase();

const encoder = new TextEncoder();

/** The most bytes of a password that are ever hashed or compared. */
export const passwordBytes = 1_024;

function bytesOf(value: string): number {
  return value.length > passwordBytes ? value.length : encoder.encode(value).length;
}

/** A password as it is typed to sign in: any, so that a wrong one is answered as wrong, but bounded. */
export const GivenPasswordText = z.string().superRefine((value, context) => {
  if (!value.isWellFormed()) context.addIssue({ code: 'custom', message: 'not well-formed Unicode' });
  else if (bytesOf(value) > passwordBytes) {
    context.addIssue({ code: 'custom', message: `at most ${passwordBytes} bytes` });
  }
});

/**
 * A password that is being set: 8 to 128 code points, kept exactly as typed (no trimming, folding or normalisation).
 * That it is not a common one, nor made of the person's own words, is checked where those are known.
 */
export const PasswordText = z.string().superRefine((value, context) => {
  const length = value.length > 256 ? value.length : codePoints(value);
  if (!value.isWellFormed()) context.addIssue({ code: 'custom', message: 'not well-formed Unicode' });
  else if (value.includes('\u0000')) context.addIssue({ code: 'custom', message: 'must not contain NUL' });
  else if (length < 8) context.addIssue({ code: 'custom', message: 'at least 8 characters' });
  else if (length > 128) context.addIssue({ code: 'custom', message: 'at most 128 characters' });
  else if (bytesOf(value) > passwordBytes) {
    context.addIssue({ code: 'custom', message: `at most ${passwordBytes} bytes` });
  }
});
