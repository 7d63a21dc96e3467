/** Small choices that a browser keeps for itself (theme, language, columns): shared by all tabs, never anything secret. */
import { useSyncExternalStore } from 'react';

const prefix = 'strongroom.';
const listeners = new Set<() => void>();
/** What could not be stored (private windows, full disks) still holds while the page lives. */
const memory = new Map<string, string>();

window.addEventListener('storage', (event) => {
  if (event.key === null || event.key.startsWith(prefix)) tell();
});

function tell(): void {
  for (const listener of listeners) listener();
}

export function stored(name: string): string | undefined {
  const kept = memory.get(name);
  if (kept !== undefined) return kept;
  try {
    return localStorage.getItem(prefix + name) ?? undefined;
  } catch {
    return undefined;
  }
}

export function store(name: string, value: string | undefined): void {
  if (stored(name) === value) return;
  memory.delete(name);
  try {
    if (value === undefined) localStorage.removeItem(prefix + name);
    else localStorage.setItem(prefix + name, value);
  } catch {
    if (value !== undefined) memory.set(name, value);
  }
  tell();
}

export function onStored(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A kept choice and how to change it. */
export function useStored(name: string): readonly [string | undefined, (value: string | undefined) => void] {
  const value = useSyncExternalStore(onStored, () => stored(name));
  return [value, (next) => store(name, next)];
}
