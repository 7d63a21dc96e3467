/** The language of the page: what was chosen, else the first of the browser's that we have, else English. */
import { useSyncExternalStore } from 'react';
import { onStored, store, stored } from './stored.ts';

export const languages = ['en', 'de'] as const;
/** With the two pseudo-locales, which tests and translators choose by `localStorage`. */
export type Language = (typeof languages)[number] | 'qps' | 'qps-rtl';

/** Each language in its own words. */
export const languageNames: Readonly<Record<(typeof languages)[number], string>> = { en: 'English', de: 'Deutsch' };

const known: readonly string[] = [...languages, 'qps', 'qps-rtl'];
const isLanguage = (name: string | undefined): name is Language => name !== undefined && known.includes(name);

export function currentLanguage(): Language {
  const chosen = stored('language');
  if (isLanguage(chosen)) return chosen;
  for (const wanted of navigator.languages) {
    const short = wanted.slice(0, 2).toLowerCase();
    if (isLanguage(short)) return short;
  }
  return 'en';
}

export function chooseLanguage(language: Language): void {
  store('language', language);
}

/** The locale for dates, numbers and sizes: the browser's own variant of the language, where it has one. */
export function localeOf(language: Language): string {
  if (language.startsWith('qps')) return 'en';
  return navigator.languages.find((wanted) => wanted.slice(0, 2).toLowerCase() === language) ?? language;
}

export const directionOf = (language: Language): 'ltr' | 'rtl' => (language === 'qps-rtl' ? 'rtl' : 'ltr');

export function useLanguage(): Language {
  return useSyncExternalStore(onStored, currentLanguage);
}
