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

function wantedLanguage(): Language {
  const chosen = stored('language');
  if (isLanguage(chosen)) return chosen;
  for (const wanted of navigator.languages) {
    const short = wanted.slice(0, 2).toLowerCase();
    if (isLanguage(short)) return short;
  }
  return 'en';
}

type Loader = (language: Language) => Promise<void>;

/** What is shown lags behind what is wanted by the time that its texts take. */
let shown: Language = 'en';
let version = 0;
const loaders = new Set<Loader>();
const listeners = new Set<() => void>();

function changed(): void {
  version += 1;
  for (const listener of listeners) listener();
}

/** Goes over to the wanted language once its texts are there. */
export async function startLanguage(): Promise<void> {
  const wanted = wantedLanguage();
  if (wanted === shown) return;
  await Promise.all([...loaders].map((load) => load(wanted)));
  if (wanted !== wantedLanguage()) return;
  shown = wanted;
  changed();
}

// Texts that do not come (no connection) leave the page in the language it is in.
onStored(() => void startLanguage().catch(() => undefined));

/** Texts that load with the language they are in. */
export function loadWithLanguage(load: Loader): void {
  loaders.add(load);
  if (shown !== 'en') void load(shown).then(changed, () => undefined);
}

export const currentLanguage = (): Language => shown;

function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
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
  return useSyncExternalStore(onLanguage, currentLanguage);
}

/** Another number whenever a text may be another one. */
export function useTextsVersion(): number {
  return useSyncExternalStore(onLanguage, () => version);
}
