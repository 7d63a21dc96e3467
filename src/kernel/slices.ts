/** A list in parts, each as long as one statement, one request or one look takes. */

/** Rows of one INSERT: below the number of values that a database takes in one statement. */
export const rowsAtOnce = 500;

/** In order; the last may be shorter. */
export function* slicesOf<T>(items: readonly T[], size: number): Generator<T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
