/** The structure that the migrations of this release make in a placement, to compare every company's with. */
import type { Clock } from '../clock.ts';
import { newId } from '../ids.ts';
import type { Logger } from '../log.ts';
import type { Placement } from '../placements/placement.ts';

/**
 * Asks once for each kind of placement and process, by making a unit for a company that does not exist and removing
 * it. Only where units are copies of a template, and so cost milliseconds; null elsewhere, and where it failed.
 */
export function createExpectedFingerprint({ clock, log }: { clock: Clock; log: Logger }) {
  const known = new Map<string, Promise<string | null>>();
  return (placement: Placement): Promise<string | null> => {
    if (!placement.capabilities.clonesTemplate) return Promise.resolve(null);
    const asked = known.get(placement.kind);
    if (asked !== undefined) return asked;
    const made = make(placement, clock).catch((error) => {
      known.delete(placement.kind);
      log.warn({ err: error, placement: placement.kind }, 'the expected structure could not be made');
      return null;
    });
    known.set(placement.kind, made);
    return made;
  };
}

async function make(placement: Placement, clock: Clock): Promise<string> {
  const tenantId = newId('company', clock.now());
  const server = (await placement.chooseServer?.(null)) ?? null;
  const ref = { tenantId, kind: placement.kind, unit: placement.unitName(tenantId), server, generation: 1 };
  try {
    await placement.create(ref);
    await placement.stamp(ref);
    return (await placement.migrate(ref)).fingerprint;
  } finally {
    await placement.destroy(ref);
  }
}
