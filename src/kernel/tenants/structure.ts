/** The structure that the migrations of this release make in a placement, to compare every company's with. */
import type { Logger } from '../log.ts';
import type { Placement } from '../placements/placement.ts';

/** Asks once for each kind of placement and number of migrations; null where it cannot be told, which is logged. */
export function createExpectedFingerprint({ head, log }: { head: () => number; log: Logger }) {
  const known = new Map<string, Promise<string | null>>();
  return (placement: Placement): Promise<string | null> => {
    if (placement.structure === undefined) return Promise.resolve(null);
    const key = `${placement.kind} ${head()}`;
    const asked = known.get(key);
    if (asked !== undefined) return asked;
    const made = placement.structure().catch((error) => {
      known.delete(key);
      log.warn({ err: error, placement: placement.kind }, 'the expected structure could not be made');
      return null;
    });
    known.set(key, made);
    return made;
  };
}
