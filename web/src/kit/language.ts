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

/** Loads what a language needs; nothing where that is there. */
type Loader = (language: Language) => Promise<void> | undefined;

/** What is shown lags behind what is wanted by the time that its texts take. */
let shown: Language = 'en';
let version = 0;
const loaders = new Set<Loader>();
/** Those whose texts did not come for the language that is shown. */
const missing = new Set<Loader>();
const listeners = new Set<() => void>();

function changed(): void {
  version += 1;
  for (const listener of listeners) listener();
}

/** Goes over to the wanted language once its texts are there. @throws TypeError where they do not come */
export async function startLanguage(): Promise<void> {
  const wanted = wantedLanguage();
  if (wanted === shown && missing.size === 0) return;
  for (let known = 0; known < loaders.size; ) {
    known = loaders.size;
    await Promise.all([...loaders].map((load) => load(wanted)));
  }
  missing.clear();
  if (wanted !== wantedLanguage()) return;
  shown = wanted;
  changed();
}

const firstRetryMs = 2_000;
let retryMs = firstRetryMs;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Texts that do not come (no connection) leave the page in the language it is in, and are asked for again. */
export async function followLanguage(): Promise<void> {
  clearTimeout(retry);
  retry = undefined;
  try {
    await startLanguage();
    retryMs = firstRetryMs;
  } catch {
    retry = setTimeout(() => void followLanguage(), retryMs);
    retryMs = Math.min(60_000, retryMs * 2);
  }
}

/** Before the first page is drawn: waits for its texts, so that no other language flashes, but not for ever. */
export async function firstLanguage(atMostMs = 5_000): Promise<void> {
  await Promise.race([followLanguage(), new Promise((resolve) => setTimeout(resolve, atMostMs))]);
}

onStored(() => void followLanguage());

/**
 * Texts that load with the language they are in.
 * @returns where that language is shown already: when they are there, or will not be
 */
export function loadWithLanguage(load: Loader): Promise<void> | undefined {
  loaders.add(load);
  return load(shown)?.then(changed, () => {
    missing.add(load);
    retry ??= setTimeout(() => void followLanguage(), retryMs);
  });
}

export const currentLanguage = (): Language => shown;

function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @throws TypeError where its texts do not come; the choice holds, and they are asked for again */
export async function chooseLanguage(language: Language): Promise<void> {
  store('language', language);
  await startLanguage();
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
