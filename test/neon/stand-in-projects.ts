/**
 * What stands behind the stand-in of the Neon API: "projects" whose databases and roles are real ones on the test
 * PostgreSQL. The role of a project is what Neon gives: it makes roles and databases and is no superuser.
 *
 * An operation ends after so many looks at it. Until then its project is locked, and nobody signs in to it.
 */
import { randomBytes } from 'node:crypto';
import type { PostgresServer } from '../support/postgres.ts';

export interface StandInOperation {
  readonly id: string;
  readonly action: string;
  /** Looks that are left until it has ended. */
  looks: number;
}

export interface StandInProject {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly branch: string;
  readonly role: string;
  readonly password: string;
  readonly databases: { readonly id: number; readonly name: string; readonly owner: string }[];
  readonly operations: StandInOperation[];
}

export interface ProjectInput {
  readonly name: string;
  readonly branch?: { readonly role_name?: string; readonly database_name?: string };
}

/** Iterations by which this server's own password hashes are told from those that a client made. */
export const serverIterations = 5_000;

const name = (text: string) => `"${text.replaceAll('"', '""')}"`;

export type StandInProjects = ReturnType<typeof createStandInProjects>;

export function createStandInProjects(server: PostgresServer, looks: () => number) {
  const projects = new Map<string, StandInProject>();
  /** Projects in which a database is being made by a call that is under way. */
  const making = new Set<StandInProject>();
  let serial = 0;

  const isOpen = (operation: StandInOperation) => operation.looks > 0;
  const locked = (project: StandInProject) => project.operations.some(isOpen);

  async function begin(project: StandInProject, ...actions: string[]): Promise<StandInOperation[]> {
    const begun = actions.map((action) => ({
      id: `00000000-0000-4000-8000-${String(++serial).padStart(12, '0')}`,
      action,
      looks: looks(),
    }));
    project.operations.push(...begun);
    if (locked(project)) await server.ask(`ALTER ROLE ${name(project.role)} NOLOGIN`);
    return begun;
  }

  async function makeDatabase(project: StandInProject, database: string): Promise<void> {
    await server.ask(
      `CREATE DATABASE ${name(database)} OWNER ${name(project.role)} TEMPLATE template0 ENCODING 'UTF8'
        LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'`,
    );
    project.databases.push({ id: ++serial, name: database, owner: project.role });
  }

  async function dropDatabase(project: StandInProject, database: string): Promise<void> {
    await server.ask(`DROP DATABASE IF EXISTS ${name(database)} WITH (FORCE)`);
    const at = project.databases.findIndex((one) => one.name === database);
    // Another call may have been quicker.
    if (at >= 0) project.databases.splice(at, 1);
  }

  return {
    all: () => [...projects.values()],
    find: (id: string) => projects.get(id),

    /** Whether a change must wait. Time passes with every try. */
    async refuses(project: StandInProject): Promise<boolean> {
      // Still being made.
      if (project.databases.length === 0 || making.has(project)) return true;
      if (!locked(project)) return false;
      for (const operation of project.operations) operation.looks = Math.max(0, operation.looks - 1);
      if (!locked(project)) await server.ask(`ALTER ROLE ${name(project.role)} LOGIN`);
      return true;
    },

    async create(input: ProjectInput): Promise<StandInProject> {
      serial += 1;
      const id = `quiet-field-${String(serial).padStart(8, '0')}`;
      const wanted = input.branch?.role_name ?? `owner_${serial}`;
      // At Neon every project is a server of its own; here a name that is taken gets a number.
      const [taken] = await server.ask(`SELECT FROM pg_roles WHERE rolname = '${wanted}'`);
      const role = taken === undefined ? wanted : `${wanted}${serial}`;
      const database = input.branch?.database_name ?? `neondb_${serial}`;
      const project: StandInProject = {
        id,
        name: input.name,
        createdAt: new Date(Date.now() + serial).toISOString(),
        branch: `br-${id}`,
        role,
        password: `npg_${randomBytes(12).toString('base64url')}`,
        databases: [],
        operations: [],
      };
      projects.set(id, project);
      await server.ask(`CREATE ROLE ${name(role)} LOGIN CREATEROLE CREATEDB PASSWORD '${project.password}'`);
      await server.ask(`ALTER ROLE ${name(role)} SET scram_iterations = ${serverIterations}`).catch(() => {});
      // From here on it is listed, and what it was asked to be born with is not there yet.
      await begin(project, 'create_timeline', 'start_compute');
      await makeDatabase(project, taken === undefined ? database : `${database}${serial}`);
      return project;
    },

    async remove(project: StandInProject): Promise<void> {
      projects.delete(project.id);
      const names = project.databases.map((database) => database.name);
      for (const database of names) await server.ask(`DROP DATABASE IF EXISTS ${name(database)} WITH (FORCE)`);
      // Roles that were made inside go with it.
      const inside = names.map((one) => `starts_with(rolname, '${one}')`).join(' OR ');
      const roles = await server.ask<{ rolname: string }>(
        `SELECT rolname FROM pg_roles WHERE ${inside || 'false'} ORDER BY length(rolname) DESC`,
      );
      const own = roles.map(({ rolname }) => rolname).filter((role) => role !== project.role);
      for (const role of [...own, project.role]) await server.ask(`DROP ROLE IF EXISTS ${name(role)}`);
    },

    async createDatabase(project: StandInProject, database: string): Promise<StandInOperation[]> {
      making.add(project);
      try {
        await makeDatabase(project, database);
      } finally {
        making.delete(project);
      }
      return begin(project, 'apply_config');
    },

    async deleteDatabase(project: StandInProject, database: string): Promise<StandInOperation[]> {
      await dropDatabase(project, database);
      return begin(project, 'apply_config');
    },

    /** One look at an operation. */
    async look(project: StandInProject, operation: StandInOperation): Promise<void> {
      if (!isOpen(operation)) return;
      operation.looks -= 1;
      if (!locked(project)) await server.ask(`ALTER ROLE ${name(project.role)} LOGIN`);
    },

    address(project: StandInProject, database: string): string {
      const address = new URL(server.url);
      Object.assign(address, { username: project.role, password: project.password, pathname: `/${database}` });
      address.searchParams.set('sslmode', 'require');
      address.searchParams.set('channel_binding', 'require');
      return address.href;
    },
  };
}
