/**
 * Which passwords may be set: none that is common, made of one pattern, or made of the person's own words. Length is
 * the shape's business (`kernel/shapes.ts`). No rules of composition and no forced change.
 */
import { invalidField } from '../../kernel/errors.ts';
import { commonPasswords, commonWords } from './common-passwords.ts';

const looksLike: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

const rows = [
  '01234567890',
  'abcdefghijklmnopqrstuvwxyz',
  'qwertyuiop',
  'asdfghjkl',
  'zxcvbnm',
  'qwertzuiop',
  'azertyuiop',
];
const walks = [...rows, ...rows.map((row) => [...row].reverse().join(''))].map((row) => row + row);

/** One unit over and over (`abababab`, `11111111`), or a run along the alphabet, the digits or the keyboard. */
function isPattern(password: string): boolean {
  for (let length = 1; length <= password.length / 3; length += 1) {
    const unit = password.slice(0, length);
    if (unit.repeat(Math.ceil(password.length / length)).slice(0, password.length) === password) return true;
  }
  return walks.some((walk) => walk.includes(password));
}

/** Letters alone, with digits and signs read as the letters they look like. */
function unmasked(password: string): string {
  return [...password].map((letter) => looksLike[letter] ?? letter).join('');
}

/** Without the digits and signs around it. */
function core(password: string): string {
  return password.replaceAll(/^[\p{N}\p{P}\p{S}\p{Z}]+|[\p{N}\p{P}\p{S}\p{Z}]+$/gu, '');
}

function isCommon(lower: string): boolean {
  const kernel = core(lower);
  return (
    commonPasswords.has(lower) ||
    commonPasswords.has(unmasked(lower)) ||
    commonWords.has(kernel) ||
    commonWords.has(unmasked(kernel)) ||
    commonWords.has(core(unmasked(lower)))
  );
}

const bare = (value: string) => value.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

/** True where little is left of the password once one of these words is taken out. */
function isPersonal(lower: string, words: readonly string[]): boolean {
  const squeezed = bare(lower);
  return words.some((word) => {
    if (word.length > 0 && lower === word.toLowerCase()) return true;
    const part = bare(word);
    return part.length >= 4 && squeezed.includes(part) && squeezed.length - part.length < 4;
  });
}

/** Who sets the password: the words that everybody who knows them would try. */
export interface PersonalWords {
  readonly email: string;
  readonly username?: string | null | undefined;
  readonly fullName?: string | undefined;
  readonly companyName?: string | undefined;
  readonly companySlug?: string | undefined;
}

/** @throws invalid `password_common` | `password_personal`, naming the field `path` */
export function requireGoodPassword(password: string, person: PersonalWords, path = 'password'): void {
  const lower = password.toLowerCase();
  if (isCommon(lower) || isPattern(lower)) {
    throw invalidField(path, 'This password is one of the first that anybody would try.', 'password_common');
  }
  const [local = '', domain = ''] = person.email.split('@');
  const words = [person.email, local, domain, domain.split('.')[0], person.username, person.companyName];
  const names = [person.companySlug, person.fullName, ...(person.fullName?.split(/\s+/) ?? [])];
  const given = [...words, ...names].filter((word) => word !== undefined && word !== null);
  if (isPersonal(lower, given)) {
    throw invalidField(path, 'This password is made of your own name, address or company.', 'password_personal');
  }
}
