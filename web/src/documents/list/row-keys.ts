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

/** Pictures that are waited for until a row is drawn no more. */
const patience = 60;

/** After the row of the focus is gone: the one that took its place, or the last. Nothing where it stays. */
export function keepFocus(container: HTMLElement | null): () => void {
  if (container === null) return () => undefined;
  const id = focusedRow(container);
  const at = rowsIn(container).findIndex((row) => row.dataset.row === id);
  if (at < 0) return () => undefined;
  return () => {
    let left = patience;
    const look = () => {
      const rows = rowsIn(container);
      if (rows.some((row) => row.dataset.row === id)) {
        left -= 1;
        if (left > 0) requestAnimationFrame(look);
        return;
      }
      if (document.activeElement !== document.body && document.activeElement !== null) return;
      (rows[at] ?? rows.at(-1))?.focus();
    };
    requestAnimationFrame(look);
  };
}
