/**
 * An empty cluster, made once for a whole run of the tests and copied for each server that they start: making one costs
 * a second and more of the processor, copying it a tenth of that. Vitest calls `setup` and `teardown` round the run.
 */
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Names the folder in which the run keeps its cluster; inherited by the processes of the tests. */
const variable = 'STRONGROOM_TEST_CLUSTER_FOLDER';

export function setup(): void {
  process.env[variable] = mkdtempSync(join(tmpdir(), 'strongroom-cluster-'));
}

export function teardown(): void {
  rmSync(process.env[variable]!, { recursive: true, force: true });
}

/**
 * Fills the folder `data` with an empty cluster. Outside of a run it is made; in a run the first who needs it makes it,
 * and a second one at the same moment too.
 */
export async function fillCluster(data: string, make: () => Promise<void>): Promise<void> {
  const folder = process.env[variable];
  if (folder === undefined) return make();
  const kept = join(folder, 'cluster');
  if (existsSync(kept)) return copy(kept, data);
  await make();
  const ours = join(folder, randomUUID());
  try {
    copy(data, ours);
    renameSync(ours, kept);
  } catch {
    // Somebody else was first, and theirs is as good; or there is no room, and each makes its own.
    rmSync(ours, { recursive: true, force: true });
  }
}

/** With owners and rights, on which the server insists. */
const copy = (from: string, to: string): void => {
  execFileSync('cp', ['-a', from, to]);
};
