/**
 * Databases that nobody owns and no owner role tells of, so that doctor finds them: what a process has left that died
 * while the server was making them. A statement goes on without the process that sent it, so a copy may come into being
 * after its company was given up; and a template is built under another name.
 *
 * Never another installation's company: its roles are made before its database and removed after it.
 */
import type { Placement } from './placement.ts';
import type { DatabaseParts } from './postgres-database.ts';
import { literal, quoted } from './postgres-names.ts';
import { buildPrefix } from './postgres-template.ts';

/** The placement `database`, whose units are found without their roles too. */
export function withStrays(placement: Placement, parts: DatabaseParts): Placement {
  return {
    ...placement,
    async *listUnits() {
      yield* placement.listUnits();
      yield* await strays(parts);
    },
    async destroyUnit(unit) {
      if (!unit.startsWith(buildPrefix(parts.mark))) return placement.destroyUnit(unit);
      await parts.server.admin((session) => session.script(`DROP DATABASE IF EXISTS ${quoted(unit)} WITH (FORCE)`));
    },
  };
}

async function strays({ server, names, mark }: DatabaseParts): Promise<readonly string[]> {
  const build = buildPrefix(mark);
  return server.admin(async (session) => {
    const made = await session.script<{ datname: string; closed: boolean }>(
      `SELECT datname, NOT datallowconn AS closed FROM pg_database WHERE pg_has_role(datdba, 'USAGE') ORDER BY 1`,
    );
    const builds = made.filter(({ datname }) => datname.startsWith(build));
    // Opened only once its roles have their grants.
    const copies = made.filter(({ datname, closed }) => closed && names.tenantOf(datname) !== undefined);
    const owners = copies.map(({ datname }) => literal(names.roles(datname).owner));
    if (owners.length === 0) return builds.map(({ datname }) => datname);
    const there = await session.script<{ rolname: string }>(
      `SELECT rolname FROM pg_roles WHERE rolname IN (${owners.join(', ')})`,
    );
    const owned = new Set(there.map(({ rolname }) => rolname));
    const left = copies.filter(({ datname }) => !owned.has(names.roles(datname).owner));
    return [...builds, ...left].map(({ datname }) => datname);
  });
}
