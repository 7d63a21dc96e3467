/**
 * Whether what a company's database says of its files is true: every row has its object, every object its row, and
 * references, bytes and reservations are what the versions and uploads add up to. Can mend all but lost bytes.
 */
import { createHash } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Tenant } from '../../../kernel/handles.ts';
import type { DoctorFinding } from '../../../kernel/tenants/tenants.ts';
import { knownKeys, pageOfFiles, readUsage, recountReferences, recountUsage, trueUsage } from '../repository/files.ts';
import { openUploads } from '../repository/uploads.ts';
import type { InHand } from './in-hand.ts';

export interface ExamineOptions {
  readonly repair: boolean;
  /** Read every byte and compare digests. */
  readonly deep?: boolean;
}

const batch = 500;
/** An object may be seen in the moment between its rename and the note that it is in hand. */
const secondLook = 1_000;

export async function examineDocuments(
  tenant: Tenant,
  inHand: InHand,
  options: ExamineOptions,
): Promise<readonly DoctorFinding[]> {
  return [
    ...(await examineFiles(tenant, options)),
    ...(await examineUsage(tenant, options)),
    ...(await examineObjects(tenant, inHand, options)),
  ];
}

function finding(tenant: Tenant, problem: string, repair: string | null, repaired: boolean): DoctorFinding {
  return { subject: `company ${tenant.id}`, problem, repair, repaired };
}

async function examineFiles(tenant: Tenant, { repair, deep }: ExamineOptions): Promise<DoctorFinding[]> {
  const found: DoctorFinding[] = [];
  for (let after = '', full = true; full; ) {
    const rows = await pageOfFiles(tenant.db.read, after, batch);
    full = rows.length === batch;
    after = rows.at(-1)?.key ?? after;
    for (const row of rows) {
      if (Number(row.refs) !== Number(row.used)) {
        const now = tenant.clock.iso();
        if (repair) await tenant.db.transaction((tx) => recountReferences(tx, row.key, now));
        const problem = `file ${row.key} counts ${row.refs} references and has ${row.used}`;
        found.push(finding(tenant, problem, 'count again', repair));
      }
      const damage = await damageOf(tenant, row, deep === true);
      // A file that went meanwhile was swept, not lost.
      if (damage === undefined || !(await knownKeys(tenant.db.read, [row.key])).has(row.key)) continue;
      found.push(finding(tenant, `the object of file ${row.key} ${damage}`, null, false));
    }
  }
  return found;
}

async function damageOf(
  tenant: Tenant,
  row: { readonly key: string; readonly size: number; readonly sha256: string },
  deep: boolean,
): Promise<string | undefined> {
  const size = await tenant.files.size(row.key);
  if (size === undefined) return 'is missing';
  if (size !== Number(row.size)) return `has ${size} bytes instead of ${row.size}`;
  if (!deep) return undefined;
  const hash = createHash('sha256');
  for await (const chunk of await tenant.files.get(row.key)) hash.update(chunk as Uint8Array);
  return hash.digest('hex') === row.sha256 ? undefined : 'has other bytes than were stored';
}

async function examineUsage(tenant: Tenant, { repair }: ExamineOptions): Promise<DoctorFinding[]> {
  const stated = await readUsage(tenant.db.read);
  const real = await trueUsage(tenant.db.read);
  if (stated.bytes === real.bytes && stated.reserved === real.reserved) return [];
  if (repair) await tenant.db.transaction((tx) => recountUsage(tx));
  const problem = `usage says ${stated.bytes} bytes and ${stated.reserved} reserved; it is ${real.bytes} and ${real.reserved}`;
  return [finding(tenant, problem, 'count again', repair)];
}

async function examineObjects(tenant: Tenant, inHand: InHand, { repair }: ExamineOptions): Promise<DoctorFinding[]> {
  const candidates = await withoutRow(tenant, inHand, tenant.files.keys());
  if (candidates.length === 0) return [];
  await wait(secondLook);
  const promised = await promisedKeys(tenant);
  const orphans = (await withoutRow(tenant, inHand, candidates)).filter((key) => !promised.has(key));
  if (repair && orphans.length > 0) await tenant.files.delete(orphans);
  return orphans.map((key) => finding(tenant, `object ${key} belongs to no file`, 'remove it', repair));
}

async function withoutRow(
  tenant: Tenant,
  inHand: InHand,
  keys: AsyncIterable<string> | Iterable<string>,
): Promise<string[]> {
  const found: string[] = [];
  let page: string[] = [];
  const look = async () => {
    const known = await knownKeys(tenant.db.read, page);
    found.push(...page.filter((key) => !known.has(key) && !inHand.has(tenant.id, key)));
    page = [];
  };
  for await (const key of keys) {
    page.push(key);
    if (page.length === batch) await look();
  }
  if (page.length > 0) await look();
  return found;
}

/** Objects of resumable uploads that were complete when the process died, and become documents when asked for. */
async function promisedKeys(tenant: Tenant): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  for (const upload of await openUploads(tenant.db.read)) {
    const partial = await tenant.files.partial(upload.id);
    if (upload.length > 0 && (await partial.offset()) === upload.length) keys.add((await partial.finish()).key);
  }
  return keys;
}
