/**
 * Takes the logins that may make and remove databases out of a configuration, for a process that must not do so: what is
 * not there cannot leak. Companies' own logins are sealed in the control database and are all that requests need.
 */
import type { Logger } from './log.ts';
import type { Config } from './settings.ts';

/** What this process may not do, it gets no login for. One alone on its control database does everything. */
export function withinPowers(given: Config, log: Pick<Logger, 'warn'>): Config {
  if (given.runLifecycle || given.controlUrl === null) return { ...given, runLifecycle: true };
  const { config, removed } = withoutProvisioner(given);
  if (removed.length > 0)
    log.warn({ settings: removed }, 'this process needs no such login: give it an address without');
  return config;
}

/** @returns the configuration, and the settings in which there was a login */
export function withoutProvisioner(config: Config): { readonly config: Config; readonly removed: readonly string[] } {
  const removed: string[] = [];
  const bare = (address: string, setting: string): string => {
    const url = new URL(address);
    if (url.username !== '' || url.password !== '') removed.push(setting);
    url.username = '';
    url.password = '';
    return url.href;
  };
  const { postgresUrl, postgresServers, neonApiKey } = config;
  if (neonApiKey !== null && neonApiKey !== '') removed.push('NEON_API_KEY');
  return {
    config: {
      ...config,
      postgresUrl: postgresUrl === null ? null : bare(postgresUrl, 'STRONGROOM_POSTGRES_URL'),
      postgresServers: postgresServers === null ? null : bareServers(postgresServers, bare),
      // Companies on Neon are still served: only its API is out of reach.
      neonApiKey: neonApiKey === null ? null : '',
    },
    removed: [...new Set(removed)],
  };
}

/** The list was checked when the configuration was read. */
function bareServers(text: string, bare: (address: string, setting: string) => string): string {
  const servers = JSON.parse(text) as { url: string }[];
  return JSON.stringify(servers.map((one) => ({ ...one, url: bare(one.url, 'STRONGROOM_POSTGRES_SERVERS') })));
}
