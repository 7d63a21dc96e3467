/**
 * The structure that the migrations make at Neon. Nothing makes a project only to see it: it is what the first company of
 * this process was given, or is made in a project that is there, in a transaction that is never committed.
 */
import { migrationsDigest } from '../database/migrator.ts';
import { unavailable } from '../errors.ts';
import type { TenantId } from '../ids.ts';
import type { NeonRecord } from './neon-records.ts';
import { addressOf, inProject, type NeonParts, ownProject, sharedProject } from './neon-unit.ts';
import { probeStructure } from './postgres-migrate.ts';

/** One of them may be gone, or not to be woken. */
const projectsTried = 3;

/** Asks the API, so what went wrong is remembered: nobody waits for the same answer once for every company. */
export function createNeonStructure(parts: NeonParts): () => Promise<string> {
  let failed: { readonly error: unknown; readonly until: number } | undefined;
  return async () => {
    const known = parts.replays.get(migrationsDigest(parts.migrations));
    if (known !== undefined) return known.fingerprint;
    if (failed !== undefined && failed.until > Date.now()) throw failed.error;
    try {
      return await probed(parts);
    } catch (error) {
      failed = { error, until: Date.now() + parts.times.rememberedMs };
      throw error;
    }
  };
}

async function probed(parts: NeonParts): Promise<string> {
  let failure: unknown = unavailable('provisioning_failed', 'There is no project to look at.', 60);
  for (const record of await parts.records.placed(projectsTried)) {
    try {
      const address = await addressOf(parts, record.projectId!, namesIn(parts, record));
      return await inProject(parts, address, (session) => probeStructure(parts, session));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** The database and role that a project was born with. */
function namesIn(parts: NeonParts, { owner, projectName }: NeonRecord) {
  const shared = sharedProject(parts);
  return projectName === shared.name ? shared : ownProject(parts, parts.names.unitName(owner as TenantId));
}
