/**
 * Going through rows by arrow keys. Rows carry `data-row`; the one after the last in sight is drawn already, and the
 * browser scrolls to what gets the focus.
 */

const rowsIn = (container: HTMLElement): HTMLElement[] => [...container.querySelectorAll<HTMLElement>('[data-row]')];

/** The row in which the focus is, by its id. */
export function focusedRow(container: HTMLElement | null): string | undefined {
  const active = document.activeElement;
  if (container === null || active === null || !container.contains(active)) return undefined;
  const frame = active.closest('[role="row"], li');
  return frame?.querySelector<HTMLElement>('[data-row]')?.dataset.row;
}

/** @returns whether there was such a row */
export function moveFocus(container: HTMLElement | null, by: number): boolean {
  if (container === null) return false;
  const rows = rowsIn(container);
  const id = focusedRow(container);
  const at = rows.findIndex((row) => row.dataset.row === id);
  const next = at < 0 ? rows.find(inSight) : rows[at + by];
  next?.focus();
  return next !== undefined;
}

function inSight(row: HTMLElement): boolean {
  const scroller = row.closest<HTMLElement>('[data-scroller]') ?? row.offsetParent;
  return scroller === null || row.getBoundingClientRect().bottom > scroller.getBoundingClientRect().top;
}

/** So long a row may take to go that was told to. */
const patienceMs = 3_000;

/** After the row of the focus is gone: the one that took its place, or the last. */
export function keepFocus(container: HTMLElement | null): () => void {
  if (container === null) return () => undefined;
  const id = focusedRow(container);
  const at = rowsIn(container).findIndex((row) => row.dataset.row === id);
  if (at < 0) return () => undefined;
  return () => {
    const until = performance.now() + patienceMs;
    const look = () => {
      const active = document.activeElement;
      if (active === null || active === document.body) {
        const rows = rowsIn(container);
        (rows[at] ?? rows.at(-1))?.focus();
      } else if (focusedRow(container) === id && performance.now() < until) {
        // It is drawn still.
        requestAnimationFrame(look);
      }
    };
    requestAnimationFrame(look);
  };
}
