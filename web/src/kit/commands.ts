/** Commands of the palette that belong to the page that is open: registered while it is there. */
import { useEffect, useRef, useSyncExternalStore } from 'react';
import type { IconName } from './icon.tsx';

export interface Command {
  readonly id: string;
  readonly label: string;
  readonly icon: IconName;
  readonly description?: string;
  readonly run: () => void;
}

/** Finds things while somebody types into the palette; registered by areas for documents, baskets, people. */
export interface PaletteSource {
  readonly id: string;
  readonly title: string;
  readonly find: (query: string, signal: AbortSignal) => Promise<readonly Command[]>;
}

function registry<T>() {
  const held = new Set<{ current: readonly T[] }>();
  const listeners = new Set<() => void>();
  let list: readonly T[] = [];
  const changed = () => {
    list = [...held].flatMap(({ current }) => current);
    for (const listener of listeners) listener();
  };
  return {
    hold(items: readonly T[]) {
      const entry = { current: items };
      held.add(entry);
      changed();
      return () => {
        held.delete(entry);
        changed();
      };
    },
    subscribe(listener: () => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    list: () => list,
  };
}

const commands = registry<Command>();
const sources = registry<PaletteSource>();

/** Has commands as long as the component is there. They are told apart by their ids and labels. */
export function useCommands(list: readonly Command[]): void {
  const latest = useRef(list);
  latest.current = list;
  const signature = list.map(({ id, label, icon, description }) => `${id} ${label} ${icon} ${description}`).join('\n');
  useEffect(() => {
    const held = latest.current.map((command) => ({
      ...command,
      run: () => latest.current.find(({ id }) => id === command.id)?.run(),
    }));
    return signature === '' ? undefined : commands.hold(held);
  }, [signature]);
}

export function usePaletteSource(source: PaletteSource): void {
  const latest = useRef(source);
  latest.current = source;
  const { id, title } = source;
  useEffect(
    () => sources.hold([{ id, title, find: (query, signal) => latest.current.find(query, signal) }]),
    [id, title],
  );
}

export const useRegisteredCommands = (): readonly Command[] => useSyncExternalStore(commands.subscribe, commands.list);
export const useRegisteredSources = (): readonly PaletteSource[] =>
  useSyncExternalStore(sources.subscribe, sources.list);
