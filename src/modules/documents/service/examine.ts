/**
 * Whether what a company's database says of its files is true: every row has its object, every object its row, and
 * references, bytes and reservations are what the versions and uploads add up to. Can mend all but lost bytes.
 */
import { createHash } from 'node:crypto';
import type { Tenant } from '../../../kernel/handles.ts';
import type { DoctorFinding } from '../../../kernel/tenants/tenants.ts';
import {
  holdUsage,
  knownKeys,
  pageOfFiles,
  readUsage,
  recountReferences,
  recountUsage,
  trueUsage,
  type UsageRow,
} from '../repository/files.ts';
import type { InHand } from './in-hand.ts';
import { pagesOf, withoutOwner } from './leftovers.ts';

export interface ExamineOptions {
  readonly repair: boolean;
  /** Read every byte and compare digests. */
  readonly deep?: boolean;
  /** Has made again what was made of documents and is lost. */
  readonly renew?: (key: string) => Promise<void>;
}

const batch = 500;

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

async function examineFiles(tenant: Tenant, { repair, deep, renew }: ExamineOptions): Promise<DoctorFinding[]> {
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
      // What was made of a document can be made again; what people brought cannot.
      const again = Number(row.versions) === 0 && renew !== undefined;
      if (again && repair) await renew(row.key);
      const way = again ? 'make it again' : null;
      found.push(finding(tenant, `the object of file ${row.key} ${damage}`, way, again && repair));
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
  const looked = await Promise.all([readUsage(tenant.db.read), trueUsage(tenant.db.read)]);
  if (areEqual(...looked)) return [];
  // The two were read one after the other; only with the row held do they say whether they differ.
  const [stated, real] = await tenant.db.transaction(async (tx) => {
    await holdUsage(tx);
    const held = [await readUsage(tx), await trueUsage(tx)] as const;
    if (repair && !areEqual(...held)) await recountUsage(tx);
    return held;
  });
  if (areEqual(stated, real)) return [];
  const problem = `usage says ${stated.bytes} bytes and ${stated.reserved} reserved; it is ${real.bytes} and ${real.reserved}`;
  return [finding(tenant, problem, 'count again', repair)];
}

type Counts = Pick<UsageRow, 'bytes' | 'reserved'>;
const areEqual = (a: Counts, b: Counts) => a.bytes === b.bytes && a.reserved === b.reserved;

async function examineObjects(tenant: Tenant, inHand: InHand, { repair }: ExamineOptions): Promise<DoctorFinding[]> {
  const found: DoctorFinding[] = [];
  for await (const page of pagesOf(tenant.files.keys())) {
    const orphans = await withoutOwner(tenant, inHand, page);
    if (repair && orphans.length > 0) await tenant.files.delete(orphans);
    found.push(...orphans.map((key) => finding(tenant, `object ${key} belongs to no file`, 'remove it', repair)));
  }
  return found;
}
