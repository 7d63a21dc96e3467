/**
 * Translated texts: each area has its own table, English first; a translation has exactly its keys and loads with its
 * language. Messages are ICU (plurals, selections, numbers), parsed once for each language.
 *
 * The pseudo-locale (`qps`) makes every text longer and accented, so that what is not translated, or does not fit, is
 * seen at once; with `-rtl` it also runs from right to left.
 */
import IntlMessageFormat from 'intl-messageformat';
import { use, useCallback } from 'react';
import { type Language, loadWithLanguage, useLanguage, useTextsVersion } from './language.ts';

/** Every key of the English table, no more and no less. */
export type Translation<English> = { readonly [Key in keyof English]: string };

export interface TextTable<Key extends string = string> {
  readonly en: Readonly<Record<Key, string>>;
  /** There once somebody reads German. */
  readonly de?: Readonly<Record<Key, string>>;
  /** While texts of the language that is shown are on their way: an area that is opened later than the page. */
  readonly arriving?: Promise<void> | undefined;
}

export type Values = Readonly<Record<string, string | number | Date | boolean | undefined>>;
export type Translate<Key extends string> = (key: Key, values?: Values) => string;

/** The texts of one area: `defineTexts(en, async () => (await import('./texts.de.ts')).de)`. */
export function defineTexts<English extends Readonly<Record<string, string>>>(
  en: English,
  loadGerman: () => Promise<Translation<English>>,
): TextTable<keyof English & string> {
  const table: { en: English; de?: Translation<English>; arriving?: Promise<void> | undefined } = { en };
  const load = async () => {
    table.de = await loadGerman();
  };
  table.arriving = loadWithLanguage((language) =>
    language === 'de' && table.de === undefined ? load() : undefined,
  )?.finally(() => {
    table.arriving = undefined;
  });
  return table;
}

const letters: Readonly<Record<string, string>> = {
  a: 'á',
  e: 'é',
  i: 'í',
  o: 'ó',
  u: 'ú',
  A: 'Á',
  E: 'É',
  I: 'Í',
  O: 'Ó',
  U: 'Ú',
  c: 'ç',
  n: 'ñ',
  y: 'ý',
};

/** Accented and a third longer; what stands in braces stays as it is. */
export function pseudo(message: string): string {
  let depth = 0;
  let text = '';
  for (const letter of message) {
    if (letter === '{') depth += 1;
    text += depth > 0 ? letter : (letters[letter] ?? letter);
    if (letter === '}') depth -= 1;
  }
  return `⟦${text}${'·'.repeat(Math.ceil(message.length / 3))}⟧`;
}

const parsed = new Map<string, IntlMessageFormat>();

/** One message in one language. */
export function translate<Key extends string>(table: TextTable<Key>, language: Language, key: Key, values?: Values) {
  const own = (language === 'de' ? table.de?.[key] : undefined) ?? table.en[key];
  const message = language.startsWith('qps') ? pseudo(own) : own;
  if (!message.includes('{') && !message.includes("'")) return message;
  const locale = language.startsWith('qps') ? 'en' : language;
  const name = `${locale} ${message}`;
  let format = parsed.get(name);
  if (format === undefined) {
    format = new IntlMessageFormat(message, locale, undefined, { ignoreTag: true });
    parsed.set(name, format);
  }
  return String(format.format(values as Record<string, string>));
}

/** The translations of a table in the language of the page. */
export function useTexts<Key extends string>(table: TextTable<Key>): Translate<Key> {
  const language = useLanguage();
  const version = useTextsVersion();
  // Rather nothing for a moment than the texts of another language.
  if (table.arriving !== undefined) use(table.arriving);
  // biome-ignore lint/correctness/useExhaustiveDependencies: with another version the same key has another text.
  return useCallback((key, values) => translate(table, language, key, values), [table, language, version]);
}
