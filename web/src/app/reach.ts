/**
 * Whether the server can be reached: offline by the browser's word, down by a request that got no answer. While it is
 * down its health is asked for until it answers; then whoever listens goes on by himself.
 */
import { useSyncExternalStore } from 'react';

export type Reach = 'up' | 'offline' | 'down';

let reach: Reach = navigator.onLine ? 'up' : 'offline';
const listeners = new Set<() => void>();
let asking = false;

function set(next: Reach): void {
  if (next === reach) return;
  reach = next;
  for (const listener of listeners) listener();
}

export function onReach(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const currentReach = (): Reach => reach;
export const useReach = (): Reach => useSyncExternalStore(onReach, currentReach);

window.addEventListener('offline', () => set('offline'));
window.addEventListener('online', () => void askUntilUp());

async function healthy(): Promise<boolean> {
  try {
    const answer = await fetch('/health', { signal: AbortSignal.timeout(5_000), cache: 'no-store' });
    return answer.ok;
  } catch {
    return false;
  }
}

async function askUntilUp(): Promise<void> {
  if (asking) return;
  asking = true;
  try {
    for (let wait = 1_000; !(await healthy()); wait = Math.min(wait * 1.5, 10_000)) {
      set(navigator.onLine ? 'down' : 'offline');
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
    set('up');
  } finally {
    asking = false;
  }
}

/** Statuses with which something in between says that nobody stands behind it. */
const goneStatuses = new Set([502, 504]);

/** `fetch` that notes when nobody answers. */
export async function watchedFetch(input: string, init?: RequestInit): Promise<Response> {
  try {
    const answer = await fetch(input, init);
    if (goneStatuses.has(answer.status)) void askUntilUp();
    return answer;
  } catch (error) {
    if (error instanceof TypeError) void askUntilUp();
    throw error;
  }
}
