/**
 * Logins of tenants on PostgreSQL: random passwords, sealed under the key ring for one tenant and role, in the control
 * database. They stand there before a role is made with them, so that a crash leaves no login that nobody knows.
 */
import { createHash, createHmac, pbkdf2 as pbkdf2Callback, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { ControlDb, ControlTx } from '../database/database.ts';
import type { TenantId } from '../ids.ts';
import type { Secrets } from '../secrets.ts';
import type { PlacementRef } from './placement.ts';
import './tables.ts';

export type LoginRole = 'request' | 'migrate';

export interface Login {
  readonly login: string;
  readonly password: string;
  readonly database: string;
  /** Host and port, where the tenant has a server of its own. */
  readonly host?: string;
  /** The same of the pooler before it. */
  readonly pooledHost?: string;
}
export type Logins = Readonly<Record<LoginRole, Login>>;

export interface PostgresCredentials {
  /** The logins of a tenant, made where there are none. `choose` says in which database, in the same transaction. */
  reserve(
    ref: PlacementRef,
    names: Readonly<Record<LoginRole, string>>,
    choose: (tx: ControlTx) => Promise<string>,
  ): Promise<Logins>;
  /** Undefined for a tenant that was never placed here. From memory where it is known. */
  find(tenantId: TenantId): Promise<Logins | undefined>;
  /** The databases of these tenants, in one look; nothing for one that was never placed here. */
  databases(tenantIds: readonly TenantId[]): Promise<ReadonlyMap<TenantId, string>>;
  /** The next `find` asks the database. */
  refresh(tenantId: TenantId): void;
  /** Removes them: nothing opens the tenant's database any more. */
  forget(tenantId: TenantId): Promise<void>;
}

const keptLogins = 5_000;
const loginRoles: readonly LoginRole[] = ['request', 'migrate'];
const purposeOf = (tenantId: string, role: LoginRole) => `placement:${tenantId}:${role}`;

export function createPostgresCredentials(parts: {
  readonly control: ControlDb;
  readonly secrets: Pick<Secrets, 'control'>;
}): PostgresCredentials {
  const { control, secrets } = parts;
  const known = new Map<TenantId, Logins>();

  async function read(reader: Pick<ControlTx, 'selectFrom'>, tenantId: TenantId): Promise<Logins | undefined> {
    const rows = await reader
      .selectFrom('placement_credentials')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .execute();
    const logins: Partial<Record<LoginRole, Login>> = {};
    for (const row of rows) {
      const password = secrets.control.open(purposeOf(tenantId, row.role), row.sealed);
      logins[row.role] = { login: row.login, password, database: row.database_name };
    }
    const { request, migrate } = logins;
    return request === undefined || migrate === undefined ? undefined : { request, migrate };
  }

  function keep(tenantId: TenantId, logins: Logins): Logins {
    if (known.size >= keptLogins) known.delete(known.keys().next().value!);
    known.set(tenantId, logins);
    return logins;
  }

  return {
    async reserve(ref, names, choose) {
      const { tenantId } = ref;
      const made = await control.transaction(async (tx) => {
        const found = await read(tx, tenantId);
        if (found !== undefined) return found;
        const database = await choose(tx);
        const logins = Object.fromEntries(
          loginRoles.map((role) => [role, { login: names[role], password: newPassword(), database }]),
        ) as unknown as Logins;
        const rows = loginRoles.map((role) => ({
          tenant_id: tenantId,
          role,
          login: names[role],
          database_name: database,
          server: ref.server,
          sealed: secrets.control.seal(purposeOf(tenantId, role), logins[role].password),
        }));
        await tx.insertInto('placement_credentials').values(rows).execute();
        return logins;
      });
      return keep(tenantId, made);
    },
    async find(tenantId) {
      const kept = known.get(tenantId);
      if (kept !== undefined) return kept;
      const found = await read(control.read, tenantId);
      return found === undefined ? undefined : keep(tenantId, found);
    },
    async databases(tenantIds) {
      const rows = await control.read
        .selectFrom('placement_credentials')
        .select(['tenant_id', 'database_name'])
        .where('role', '=', 'migrate')
        .where('tenant_id', 'in', [...tenantIds])
        .execute();
      return new Map(rows.map((row) => [row.tenant_id as TenantId, row.database_name]));
    },
    refresh: (tenantId) => void known.delete(tenantId),
    async forget(tenantId) {
      known.delete(tenantId);
      await control.transaction(async (tx) => {
        await tx.deleteFrom('placement_credentials').where('tenant_id', '=', tenantId).execute();
      });
    },
  };
}

/** How many tenants each database of a server holds, reserved ones included. */
export async function tenantsByDatabase(
  reader: Pick<ControlTx, 'selectFrom'>,
  server: string | null,
): Promise<ReadonlyMap<string, number>> {
  const rows = await reader
    .selectFrom('placement_credentials')
    .select(['database_name', ({ fn }) => fn.countAll<number | string>().as('count')])
    .where('role', '=', 'request')
    .where('server', server === null ? 'is' : '=', server)
    .groupBy('database_name')
    .execute();
  return new Map(rows.map((row) => [row.database_name, Number(row.count)]));
}

function newPassword(): string {
  return randomBytes(32).toString('base64url');
}

const pbkdf2 = promisify(pbkdf2Callback);
const iterations = 4_096;

/** What the server keeps of a password (RFC 5803, SCRAM-SHA-256), so that the password itself is in no statement and no log. */
export async function scramVerifier(password: string): Promise<string> {
  const salt = randomBytes(16);
  const salted = await pbkdf2(password, salt, iterations, 32, 'sha256');
  const key = (name: string) => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  const parts = [iterations, salt.toString('base64')].join(':');
  return `SCRAM-SHA-256$${parts}$${stored}:${key('Server Key').toString('base64')}`;
}
