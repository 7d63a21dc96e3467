/**
 * What the files of the placement `neon` share: their parts, the names of projects, and the way into one with the role
 * that the API made.
 */
import type { PostgresSession } from '../database/postgres-session.ts';
import { StrongroomError, unavailable } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { NeonApi } from './neon-api.ts';
import type { NeonRecords } from './neon-records.ts';
import { type NeonTimes, pauseOf, wait } from './neon-times.ts';
import type { RoleLimits } from './postgres-roles.ts';
import type { SchemaParts } from './postgres-schema.ts';
import { createPostgresServer, type PostgresServer, type ServerTraits } from './postgres-server.ts';
import type { UnitParts } from './postgres-unit.ts';

/** A project a company, or a database a company in one project. */
export type NeonMode = 'project' | 'database';

export interface NeonParts extends UnitParts {
  readonly api: NeonApi;
  readonly times: NeonTimes;
  readonly records: NeonRecords;
  readonly limits: RoleLimits;
  /** Tells this installation's projects from those of others in the same organisation. */
  readonly mark: string;
  readonly mode: NeonMode;
  /** Requests go through Neon's pooler. */
  readonly pooled: boolean;
  readonly replays: SchemaParts['replays'];
  readonly log: Logger;
}

/** How every project of this installation is called at the beginning. */
export const projectPrefix = (mark: string) => `strongroom-${mark}-`;

/** A project as it is asked for: its name, and the database and role that it is born with. */
export interface ProjectNames {
  readonly name: string;
  readonly database: string;
  readonly role: string;
}

/** The project of one company: named after it, so that it is found whatever else is lost. */
export function ownProject(parts: Pick<NeonParts, 'mark'>, unit: string): ProjectNames {
  return { name: `${projectPrefix(parts.mark)}${unit}`, database: unit, role: `${unit}_a` };
}

/** The project that companies share. */
export function sharedProject(parts: Pick<NeonParts, 'mark'>): ProjectNames {
  const name = `strongroom_${parts.mark}`;
  return { name: `${projectPrefix(parts.mark)}shared`, database: name, role: `${name}_a` };
}

/** Comment on the owner role of such a unit: by it what is left of one in a shared project is found. */
export const neonMark = (mark: string) => `strongroom ${mark} neon`;

/** A project that sleeps wakes up with the first connection. */
export const connectMs = 15_000;

/**
 * How to get into a database with the role of the project. A project that is only just coming up may be listed before
 * what is in it. @throws unavailable where the API knows no such database
 */
export async function addressOf(
  { api, times }: Pick<NeonParts, 'api' | 'times'>,
  projectId: string,
  { database, role }: Omit<ProjectNames, 'name'>,
  pooled = false,
): Promise<URL> {
  const until = Date.now() + times.listedMs;
  let address = await api.address(projectId, database, role, pooled);
  for (let count = 0; address === undefined && Date.now() < until; count += 1) {
    await wait(pauseOf(times, count));
    address = await api.address(projectId, database, role, pooled);
  }
  if (address === undefined) throw unavailable('provisioning_failed', 'The database provider refused a step.', 30);
  // How the connection is verified is ours to say.
  address.search = '';
  return address;
}

/** Runs `work` on a connection of the project's role; waits for one while the project is new or wakes up. */
export async function inProject<T>(
  parts: NeonParts,
  address: URL,
  work: (session: PostgresSession, traits: ServerTraits) => Promise<T>,
): Promise<T> {
  const server = createPostgresServer({
    url: address.href,
    // Databases of Neon's own (`postgres`, `template1`) stay open to everybody there, which the guide says once.
    log: parts.log.child({ placement: 'neon' }, { level: 'error' }),
  });
  try {
    await untilReached(parts.times, () => server.admin((session) => session.script('SELECT 1')));
    return await server.admin(work);
  } finally {
    await server.close();
  }
}

/** Tries again what may succeed as soon as a new project has settled. */
export async function untilReached<T>(times: NeonTimes, attempt: () => Promise<T>): Promise<T> {
  const until = Date.now() + times.reachMs;
  for (let count = 0; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      const passes =
        error instanceof StrongroomError && error.kind === 'unavailable' && error.code !== 'identity_mismatch';
      if (!passes || Date.now() > until) throw error;
      await wait(pauseOf(times, count));
    }
  }
}

/** The way of a company's own logins; the provisioner's is another for each project. */
export function loginsAlone(
  configFor: (address: URL) => ReturnType<PostgresServer['clientConfig']>,
  pooled: boolean,
): PostgresServer {
  return {
    name: null,
    pooled,
    admin: () => Promise.reject(new StrongroomError('internal', 'no_provisioner', 'There is no such server.')),
    clientConfig(login: Parameters<PostgresServer['clientConfig']>[0] & { host?: string; pooledHost?: string }, way) {
      const address = new URL('postgres://host');
      address.host = (way === 'request' && pooled ? login.pooledHost : undefined) ?? login.host ?? '';
      address.username = login.login;
      address.password = login.password;
      address.pathname = `/${login.database}`;
      return configFor(address);
    },
    close: () => Promise.resolve(),
  };
}
