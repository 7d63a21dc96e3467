/**
 * What uploads leave behind when their process dies: objects that no row names, and temporary files. They go by
 * themselves, a grace time after they were made.
 *
 * - An upload announces itself to the work index before its bytes move, so a crash leaves a company that is due.
 * - The first visit to a company in a process's life lists its bucket, once. What has no row waits for the end of its
 *   grace and is looked at again; later visits look only at what waits. A company that nobody visits costs nothing.
 * - Never removed: what a row names, what this process has in hand, what an unfinished resumable upload will become.
 */
import { second } from '../../../kernel/clock.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import type { TenantId } from '../../../kernel/ids.ts';
import type { Schedule } from '../../../kernel/jobs/jobs.ts';
import { knownKeys } from '../repository/files.ts';
import { isOpenUpload, openUploads } from '../repository/uploads.ts';
import type { Parts } from './acting.ts';
import type { InHand } from './in-hand.ts';

const batch = 500;

export function createLeftovers(parts: Pick<Parts, 'config'>, inHand: InHand): Schedule {
  const grace = parts.config.objectGraceSeconds * second;
  /** Companies whose bucket was listed by this process, and when (ms) temporary files are due there; null for none. */
  const listed = new Map<TenantId, number | null>();

  /** Puts every object in doubt that no row names. */
  async function list(tenant: Tenant): Promise<void> {
    for await (const page of pagesOf(tenant.files.keys())) {
      for (const key of await withoutOwner(tenant, inHand, page)) {
        const since = await tenant.files.madeAt(key);
        if (since !== undefined) inHand.doubt(tenant.id, key, since);
      }
    }
  }

  async function removeDoubtful(tenant: Tenant): Promise<void> {
    const before = tenant.clock.now() - grace;
    const due = [...inHand.doubts(tenant.id)].filter(([, since]) => since <= before).map(([key]) => key);
    for await (const page of pagesOf(due)) {
      const orphans = await withoutOwner(tenant, inHand, page);
      await tenant.files.delete(orphans);
      if (orphans.length > 0) tenant.log.info({ objects: orphans.length }, 'objects that no row names were removed');
      inHand.settle(tenant.id, page);
    }
  }

  return {
    name: 'documents-leftovers',
    async nextDue(tenant) {
      const temporary = listed.get(tenant.id);
      if (temporary === undefined) return tenant.clock.now();
      const doubts = [...inHand.doubts(tenant.id).values()].map((since) => Math.ceil(since) + grace);
      const due = Math.min(temporary ?? Number.POSITIVE_INFINITY, ...doubts);
      return due === Number.POSITIVE_INFINITY ? null : due;
    },
    async run(tenant) {
      if (!listed.has(tenant.id)) await list(tenant);
      await removeDoubtful(tenant);
      const keep = (id: string) => isOpenUpload(tenant.db.read, id);
      const { oldestLeft } = await tenant.files.sweepTemporary(tenant.clock.now() - grace, keep);
      listed.set(tenant.id, oldestLeft === null ? null : Math.floor(oldestLeft) + 1 + grace);
    },
  };
}

/** Those of these objects that belong to nothing: no row, no upload that is under way. */
export async function withoutOwner(tenant: Tenant, inHand: InHand, keys: readonly string[]): Promise<string[]> {
  const known = await knownKeys(tenant.db.read, keys);
  const suspects = keys.filter((key) => !known.has(key) && !inHand.has(tenant.id, key));
  if (suspects.length === 0) return [];
  // Rows last: whoever has ended between two of these looks has its row by then, or has given up.
  const promised = await promisedKeys(tenant);
  const left = suspects.filter((key) => !promised.has(key) && !inHand.has(tenant.id, key));
  if (left.length === 0) return [];
  const rows = await knownKeys(tenant.db.read, left);
  return left.filter((key) => !rows.has(key));
}

/** Keys that open resumable uploads have, or will have: they become documents when asked for. */
async function promisedKeys(tenant: Tenant): Promise<ReadonlySet<string>> {
  const uploads = await openUploads(tenant.db.read);
  const partials = await Promise.all(uploads.map(({ id }) => tenant.files.partial(id)));
  return new Set(partials.map(({ key }) => key));
}

/** Everything, some hundred at a time. */
export async function* pagesOf(keys: AsyncIterable<string> | Iterable<string>): AsyncIterable<string[]> {
  let page: string[] = [];
  for await (const key of keys) {
    page.push(key);
    if (page.length < batch) continue;
    yield page;
    page = [];
  }
  if (page.length > 0) yield page;
}
