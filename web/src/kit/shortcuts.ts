/**
 * Keyboard shortcuts: registered while the component that has them is there, listed by `?`. Single keys never act
 * while somebody types or a dialog is open, and can be switched off (WCAG 2.1.4).
 */
import { useEffect, useRef, useSyncExternalStore } from 'react';
import { stored } from './stored.ts';

export interface Shortcut {
  /** One key (`u`, `/`, `?`), or with modifiers: `mod+k` (Ctrl, or Cmd on a Mac), `ctrl+arrowright`, `shift+d`. */
  readonly keys: string;
  readonly label: string;
  readonly scope: 'page' | 'everywhere';
  readonly run: () => void;
}

const registered = new Set<{ current: Shortcut }>();
const listeners = new Set<() => void>();
let listed: readonly Shortcut[] = [];

function changed(): void {
  listed = [...registered].map(({ current }) => current);
  for (const listener of listeners) listener();
}

const isMac = /mac|iphone|ipad/i.test(navigator.platform);

export const singleKeysOff = (): boolean => stored('single-keys') === 'off';
const isSingle = (keys: string): boolean => !/(mod|ctrl|alt|meta)\+/.test(keys);

function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)) &&
    !(target instanceof HTMLInputElement && ['checkbox', 'radio', 'button'].includes(target.type))
  );
}

function matches(keys: string, event: KeyboardEvent): boolean {
  const parts = keys.toLowerCase().split('+');
  const key = parts.pop() === '' ? '+' : keys.toLowerCase().split('+').at(-1);
  const mod = parts.includes('mod');
  const ctrl = parts.includes('ctrl') || (mod && !isMac);
  const meta = parts.includes('meta') || (mod && isMac);
  if (event.ctrlKey !== ctrl || event.metaKey !== meta || event.altKey !== parts.includes('alt')) return false;
  // Shift belongs to signs such as `?` themselves.
  if (/^[a-z]$|^arrow/.test(key ?? '') && event.shiftKey !== parts.includes('shift')) return false;
  return event.key.toLowerCase() === key;
}

window.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  for (const { current } of [...registered].reverse()) {
    if (!matches(current.keys, event)) continue;
    if (
      isSingle(current.keys) &&
      (typing(event.target) || singleKeysOff() || document.querySelector('[aria-modal="true"]') !== null)
    )
      continue;
    event.preventDefault();
    current.run();
    return;
  }
});

/** Has a shortcut as long as the component is there. `undefined` has none. */
export function useShortcut(shortcut: Shortcut | undefined): void {
  const holder = useRef<Shortcut | undefined>(shortcut);
  holder.current = shortcut;
  const { keys, label, scope } = shortcut ?? {};
  useEffect(() => {
    if (keys === undefined || label === undefined || scope === undefined) return;
    const entry = { current: { keys, label, scope, run: () => holder.current?.run() } };
    registered.add(entry);
    changed();
    return () => {
      registered.delete(entry);
      changed();
    };
  }, [keys, label, scope]);
}

export function useShortcuts(): readonly Shortcut[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => listed,
  );
}

/** Keys as they stand on the keyboard. */
export function keyNames(keys: string): readonly string[] {
  const names: Readonly<Record<string, string>> = {
    mod: isMac ? '⌘' : 'Ctrl',
    ctrl: 'Ctrl',
    alt: 'Alt',
    shift: 'Shift',
    arrowright: '→',
    arrowleft: '←',
    arrowup: '↑',
    arrowdown: '↓',
    escape: 'Esc',
    enter: 'Enter',
  };
  return keys
    .toLowerCase()
    .split('+')
    .map((key) => names[key] ?? key.toUpperCase());
}
