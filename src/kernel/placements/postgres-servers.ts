/**
 * Which PostgreSQL servers companies may be placed on: the one of STRONGROOM_POSTGRES_URL, which has no name, and those
 * of STRONGROOM_POSTGRES_SERVERS, by name and region.
 *
 * A company that asks for a region is placed on a server of that region or not at all, once any server has one. A
 * company stays on the server that its record names.
 */
import { z } from 'zod';
import { invalidField } from '../errors.ts';
import type { Config } from '../settings.ts';

export interface PostgresServerSettings {
  /** Null for the one without a name; stands in the records of its companies. */
  readonly name: string | null;
  readonly region: string | null;
  /** The provisioner's login, without a pooler in between. */
  readonly url: string;
  /** Where requests go, where that is another address: a pooler in transaction mode. */
  readonly pooledUrl: string | null;
}

const address = z.string().refine((text) => URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol));
const named = z.strictObject({
  name: z.string().regex(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/),
  region: z.string().trim().min(1).max(100).optional(),
  url: address,
  pooled_url: address.optional(),
});
const list = z.array(named).min(1).max(100);

/** What is wrong with the text of the setting, or undefined. Never repeats it: addresses carry passwords. */
export function serversMistake(text: string): string | undefined {
  const form =
    'It must be a JSON list of {"name": "eu-1", "region": "eu", "url": "postgres://…", "pooled_url": "postgres://…"}; region and pooled_url may be left out.';
  const parsed = parse(text);
  if (parsed === undefined) return form;
  const names = new Set(parsed.map((server) => server.name));
  return names.size === parsed.length ? undefined : 'Two servers have the same name.';
}

function parse(text: string): z.infer<typeof list> | undefined {
  try {
    return list.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The server without a name first, then the others as they stand. */
export function postgresServers(
  config: Pick<Config, 'postgresUrl' | 'postgresPooledUrl' | 'postgresRegion' | 'postgresServers'>,
): readonly PostgresServerSettings[] {
  const { postgresUrl: url, postgresPooledUrl: pooledUrl, postgresRegion: region } = config;
  const first = url === null ? [] : [{ name: null, region, url, pooledUrl }];
  const others = config.postgresServers === null ? [] : (parse(config.postgresServers) ?? []);
  return [
    ...first,
    ...others.map((server) => ({
      name: server.name,
      region: server.region ?? null,
      url: server.url,
      pooledUrl: server.pooled_url ?? null,
    })),
  ];
}

/** Regions that a company may ask for, as they are written in settings. */
export function regionsOf(servers: readonly PostgresServerSettings[]): readonly string[] {
  return [...new Set(servers.flatMap(({ region }) => (region === null ? [] : [region.toLowerCase()])))].toSorted();
}

/**
 * Where a new company goes: to the server of its region that has fewest companies; without a region, to the first.
 * @throws invalid `placement_unavailable` where no server is in that region
 */
export async function chooseServer(
  servers: readonly PostgresServerSettings[],
  region: string | null,
  companies: () => Promise<ReadonlyMap<string | null, number>>,
): Promise<string | null> {
  const bound = region !== null && servers.some((server) => server.region !== null);
  if (!bound) return servers[0]!.name;
  const there = servers.filter((server) => server.region?.toLowerCase() === region.trim().toLowerCase());
  if (there.length === 0) {
    throw invalidField('region', 'This installation has no database server in this region.', 'placement_unavailable');
  }
  if (there.length === 1) return there[0]!.name;
  const counts = await companies();
  const count = (server: PostgresServerSettings) => counts.get(server.name) ?? 0;
  return there.reduce((least, server) => (count(server) < count(least) ? server : least)).name;
}
