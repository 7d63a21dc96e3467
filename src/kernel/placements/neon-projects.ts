/**
 * Making and removing projects and databases through the API so that an answer that was lost, came too late or said
 * "there is one already" leaves neither two nor none.
 *
 * Before the API is asked, the name is in the control database, and that it was asked. Whoever comes later and finds no
 * id there looks for the name first. Neon lets two projects have one name: at the end there is one, the one on record.
 */
import { unavailable } from '../errors.ts';
import { failpoint } from '../tenants/failpoints.ts';
import type { NeonApi, NeonProject } from './neon-api.ts';
import type { NeonRecord } from './neon-records.ts';
import { pauseOf, wait } from './neon-times.ts';
import type { NeonParts, ProjectNames } from './neon-unit.ts';

const attempts = 8;

const refused = () => unavailable('provisioning_failed', 'The database provider refused a step.', 10);

/** The projects of exactly this name, oldest first. */
async function named(api: NeonApi, name: string): Promise<readonly NeonProject[]> {
  return (await api.projects(name)).filter((project) => project.name === name);
}

type Asking = Pick<NeonParts, 'api' | 'times'>;
type Lookers = Pick<NeonParts, 'api' | 'times' | 'clock'>;

/** Looks for a project that was asked for, until it would be there if it came at all. */
async function lookFor(
  { api, times, clock }: Lookers,
  name: string,
  requestedAt: string,
): Promise<NeonProject | undefined> {
  const until = Date.parse(requestedAt) + times.inFlightMs;
  for (let count = 0; ; count += 1) {
    const [found] = await named(api, name);
    if (found !== undefined || clock.now() > until) return found;
    await wait(pauseOf(times, count));
  }
}

/** @returns the id of the one project of this name, which can be used */
export async function ensureProject(
  parts: NeonParts,
  record: NeonRecord,
  names: ProjectNames,
  shared: boolean,
): Promise<string> {
  const { api, times, records } = parts;
  const { owner } = record;
  const known = await livingProject(api, record);
  if (known !== undefined) return settled(parts, names, known);
  let { requestedAt } = record;
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (requestedAt !== null) {
      const found = await lookFor(parts, names.name, requestedAt);
      if (found !== undefined)
        return settled(parts, names, await records.setProject(owner, found.id, record.projectId));
    }
    // A company is made by one process at a time; a shared project may be wanted by several.
    if (!(await records.request(owner, shared ? times.claimMs : 0))) {
      await wait(pauseOf(times, attempt));
      requestedAt = (await records.find(owner))?.requestedAt ?? null;
      continue;
    }
    await failpoint('place.neon.recorded');
    const answer = await api.createProject(names);
    if (answer.outcome === 'absent') throw refused();
    if (answer.outcome === 'done') {
      await failpoint('place.neon.created');
      const id = await records.setProject(owner, answer.value, record.projectId);
      if (requestedAt !== null || id !== answer.value) return settled(parts, names, id);
      await api.settle(id);
      return id;
    }
    requestedAt = parts.clock.iso();
  }
  throw refused();
}

async function livingProject(api: NeonApi, { projectId }: NeonRecord): Promise<string | undefined> {
  return projectId === null || (await api.project(projectId)) === undefined ? undefined : projectId;
}

/** The one on record can be used, and is the only one. Others are never used, so that removing them loses nothing. */
async function settled(parts: NeonParts, { name }: ProjectNames, id: string): Promise<string> {
  await parts.api.settle(id);
  await removeOthers(parts, name, id);
  return id;
}

/** What an earlier attempt made whose answer came nowhere, and which showed only now. Nothing is in it. */
async function removeOthers(parts: Asking, name: string, id: string): Promise<void> {
  for (const project of await named(parts.api, name)) if (project.id !== id) await removeProject(parts, project.id);
}

/** Until it is not there. */
export async function removeProject({ api, times }: Asking, id: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const { outcome } = await api.deleteProject(id);
    if (outcome === 'absent' || (await api.project(id)) === undefined) return;
    await wait(pauseOf(times, attempt));
  }
  throw refused();
}

/** Every project of this name, and the one on record; also one that is only just coming up. */
export async function removeProjects(parts: Lookers, name: string, record: NeonRecord | undefined): Promise<void> {
  if (record !== undefined && record.projectId !== null) await removeProject(parts, record.projectId);
  else if (record !== undefined && record.requestedAt !== null) await lookFor(parts, name, record.requestedAt);
  for (const project of await named(parts.api, name)) await removeProject(parts, project.id);
}

/** A database in a project: there is one of a name, so looking is enough after a doubtful answer. */
export async function ensureDatabase(
  { api, times }: Asking,
  projectId: string,
  name: string,
  owner: string,
): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const there = await api.databases(projectId);
    if (there === undefined) throw refused();
    if (there.includes(name)) return api.settle(projectId);
    const { outcome } = await api.createDatabase(projectId, name, owner);
    if (outcome === 'done') return api.settle(projectId);
    if (outcome === 'absent') throw refused();
    await wait(pauseOf(times, attempt));
  }
  throw refused();
}

export async function removeDatabase(api: NeonApi, projectId: string, name: string): Promise<void> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const there = await api.databases(projectId);
    if (there === undefined) return;
    if (!there.includes(name)) return api.settle(projectId);
    await api.deleteDatabase(projectId, name);
    await api.settle(projectId);
  }
  throw refused();
}
