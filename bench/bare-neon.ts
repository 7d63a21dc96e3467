/**
 * What a company at Neon costs without the product: the calls of the API that must be made, with fetch and without waiting
 * between them, the same DDL in one transaction of the project's role, and one query with the company's own login.
 */
import { openPostgresSession } from '../src/kernel/database/postgres-session.ts';
import { quoted } from '../src/kernel/placements/postgres-names.ts';
import { createRolesText, grantsText, memberText } from '../src/kernel/placements/postgres-roles.ts';
import type { Replay } from '../src/kernel/placements/postgres-schema.ts';
import { type StandIn, standInKey } from '../test/neon/stand-in.ts';

/** Settings by which the product makes projects at the same stand-in. */
export const neonSettings = (standIn: StandIn) =>
  ({ neonApiKey: standInKey, neonApiUrl: standIn.url, neonCallsPerSecond: 500, neonMode: 'project' }) as const;

interface Made {
  readonly project: { readonly id: string };
}
interface Operations {
  readonly operations: readonly { readonly id: string; readonly status: string }[];
}

export function bareAtNeon(standIn: StandIn, replay: Replay): () => Promise<void> {
  let serial = 0;
  async function call<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { authorization: `Bearer ${standInKey}`, 'content-type': 'application/json' };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(standIn.url + path, { method, headers, ...sent });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status}`);
    return (await answer.json()) as T;
  }

  async function project(unit: string): Promise<URL> {
    const role = `${unit}_a`;
    const wanted = { name: unit, branch: { name: 'main', role_name: role, database_name: unit } };
    const { id } = (await call<Made>('POST', '/projects', { project: wanted })).project;
    const settle = async () => {
      const { operations } = await call<Operations>('GET', `/projects/${id}/operations`);
      for (const operation of operations) {
        if (operation.status !== 'finished') await call('GET', `/projects/${id}/operations/${operation.id}`);
      }
    };
    await settle();
    const query = `database_name=${unit}&role_name=${role}`;
    const { uri } = await call<{ uri: string }>('GET', `/projects/${id}/connection_uri?${query}`);
    await settle();
    const address = new URL(uri);
    // The server behind the stand-in speaks no TLS.
    address.search = '';
    return address;
  }

  return async () => {
    serial += 1;
    // As long as each other: the stand-in removes a project's roles by how their names begin.
    const unit = `bare_neon_${String(serial).padStart(4, '0')}`;
    const address = await project(unit);
    const names = { owner: `${unit}_o`, migrate: `${unit}_m`, request: unit };
    const login = { login: unit, database: unit, password: `bench ${serial}` };
    const traits = { version: 18, superuser: false, login: address.username, checksClients: true };
    const text = await createRolesText(
      names,
      { request: login, migrate: login },
      { schema: 'strongroom', mark: 'bench', limits: { statementSeconds: 30, connections: 4 }, traits, plain: true },
    );
    const [owner, database, logins] = [
      quoted(names.owner),
      quoted(unit),
      `${quoted(names.migrate)}, ${quoted(names.request)}`,
    ];
    const { join, leave } = memberText(traits, names.owner);
    const session = await openPostgresSession({ connectionString: address.href });
    await session.script(
      `BEGIN; ${text}; REVOKE ALL ON DATABASE ${database} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC;
       GRANT CONNECT ON DATABASE ${database} TO ${logins};
       ${join} CREATE SCHEMA strongroom AUTHORIZATION ${owner};
       SET LOCAL ROLE ${owner}; SET LOCAL search_path = strongroom; ${replay.text};
       ${grantsText('strongroom', names, replay.tables)};
       INSERT INTO identity (singleton, tenant_id, generation, fingerprint) VALUES (1, '${unit}', 1, 'bench');
       RESET ROLE; ${leave} COMMIT`,
    );
    await session.close();
    Object.assign(address, { username: login.login, password: login.password });
    const own = await openPostgresSession({ connectionString: address.href });
    await own.script('SELECT tenant_id, generation FROM identity');
    await own.close();
  };
}
