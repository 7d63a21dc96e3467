/**
 * Named places where a test makes the product fail: `create.place.before=throw`, `purge.bucket.after=exit`,
 * `create.seed.before=delay:200`.
 *
 * Nothing reads the environment by itself: only a test arms failpoints, once. Unarmed, a failpoint costs the check of
 * one boolean. Hits are counted while armed, so that a suite can fail when a point of its list was never reached.
 */

export type FailpointAction = 'throw' | 'exit' | { readonly delay: number };

let armed = false;
const actions = new Map<string, FailpointAction>();
const hits = new Map<string, number>();

/** What a failpoint throws: as little of a `StrongroomError` as a torn connection is. */
export class FailpointError extends Error {
  override readonly name = 'FailpointError';
}

/** Arms the points of `spec` (`name=action` joined by commas) instead of those before; '' only counts hits. */
export function armFailpoints(spec: string): void {
  actions.clear();
  hits.clear();
  armed = true;
  for (const entry of spec.split(',').filter((text) => text !== '')) {
    const [name = '', action = ''] = entry.split('=');
    if (action === 'throw' || action === 'exit') actions.set(name, action);
    else if (/^delay:\d+$/.test(action)) actions.set(name, { delay: Number(action.slice(6)) });
    else throw new Error(`no failpoint action: ${entry}`);
  }
}

export function disarmFailpoints(): void {
  armed = false;
  actions.clear();
}

/** How often each point was passed since it was armed. */
export function failpointHits(): ReadonlyMap<string, number> {
  return hits;
}

/** Marks a place. Does nothing unless a test armed it. */
export function failpoint(name: string): Promise<void> | undefined {
  return armed ? reached(name) : undefined;
}

async function reached(name: string): Promise<void> {
  hits.set(name, (hits.get(name) ?? 0) + 1);
  const action = actions.get(name);
  if (action === undefined) return;
  if (action === 'throw') throw new FailpointError(`failpoint ${name}`);
  if (action === 'exit') {
    process.kill(process.pid, 'SIGKILL');
    await new Promise(() => {});
  } else {
    await new Promise((resolve) => setTimeout(resolve, action.delay));
  }
}
