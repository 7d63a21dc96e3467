/**
 * Makes what is shown of a version: thumbnail, pages or text. A job, never a request: nothing here can make an upload
 * fail or wait.
 *
 * - Files with a structure are opened in a process of their own that is killed at its limits (`kernel/isolated`); of
 *   plain text a bounded beginning is decoded here, which no file can make slow.
 * - What was made is durable before its rows are written, with its references, in one transaction that looks at the
 *   version once more: it is there whole or not at all, and never outlives its document.
 * - A file that cannot be shown ends as `failed` with a word for why. What may pass is tried again before.
 */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { second } from '../../../kernel/clock.ts';
import type { TenantTx } from '../../../kernel/database/database.ts';
import type { Tenant } from '../../../kernel/handles.ts';
import { type Isolated, IsolatedFailure, type IsolatedResult } from '../../../kernel/isolated/isolated.ts';
import type { JobContext, JobDefinition } from '../../../kernel/jobs/jobs.ts';
import { bounds, kindOf, largest, limits, roles } from '../renditions/kinds.ts';
import { cutUtf8, decoded, encodingOf } from '../renditions/plain-text.ts';
import { Refusal } from '../renditions/refusal.ts';
import { madeOfText } from '../renditions/text-parts.ts';
import { referenceFile } from '../repository/files.ts';
import {
  findNamedVersion,
  findRendition,
  holdVersion,
  insertParts,
  type NamedVersion,
  writeRendition,
} from '../repository/renditions.ts';
import type { RenditionPartTable, RenditionTable } from '../tables.ts';
import type { Parts } from './acting.ts';
import { discardUnlessKept } from './content.ts';
import type { InHand } from './in-hand.ts';

/** Tries of a file that breaks its limits or its process, and of everything (a storage that does not answer). */
const triesOfFile = 3;
const triesOfAll = 8;
/** How long a try waits for its turn before it makes room for the company's other work, and for how long (ms). */
const patience = 2 * second;
const busyPause = 2 * second;

interface Prepared {
  readonly pages: number | null;
  readonly encoding: string | null;
  readonly truncated: boolean;
  readonly parts: readonly PreparedPart[];
}
interface PreparedPart extends Pick<RenditionPartTable, 'role' | 'page' | 'mime_type' | 'size_bytes'> {
  /** Null: the version's own first bytes. */
  readonly bytes: Uint8Array | null;
}

type Named = Pick<RenditionTable, 'version_id' | 'document_id'>;

/** Asks for what is shown of a version, in a transaction that holds it. */
export async function requestRendition(
  parts: Pick<Parts, 'jobs'>,
  tx: TenantTx,
  tenant: Tenant,
  of: Named,
  dueAt?: number,
): Promise<void> {
  const empty = { reason: null, pages: null, encoding: null, truncated: 0, updated_at: tenant.clock.iso() };
  await writeRendition(tx, { ...of, ...empty, state: 'pending' });
  const options = { key: `document.render:${of.version_id}`, ...(dueAt === undefined ? {} : { dueAt }) };
  await parts.jobs.enqueue(tx, tenant, 'document.render', of, options);
}

export function renderJob(parts: Parts, inHand: InHand, isolated: Isolated): JobDefinition<'document.render'> {
  async function run(tenant: Tenant, of: Named, context: JobContext): Promise<void> {
    const version = await findNamedVersion(tenant.db.read, of.version_id);
    const rendition = await findRendition(tenant.db.read, of.version_id);
    if (version === undefined || rendition?.state !== 'pending') return;
    try {
      await keep(tenant, inHand, of, await prepare(tenant, isolated, version, context.signal));
    } catch (error) {
      if (error instanceof IsolatedFailure && error.reason === 'busy') {
        await again(parts, tenant, of);
        return;
      }
      const reason = finalReason(error, context.attempt);
      if (reason !== undefined) {
        tenant.log.info({ version: of.version_id, reason }, 'a document cannot be shown');
      }
      // Written for a try that is to be repeated too: whoever looks sees that somebody is at it.
      await settle(tenant, of, reason);
      if (reason === undefined) throw error;
    }
  }
  // Beside the try itself: its turn, the reading of the file, and what was made is stored.
  return { attempts: triesOfAll, timeout: limits.milliseconds + 40 * second, run };
}

/** Why it is given up, as a word; undefined where another try may do better. */
function finalReason(error: unknown, attempt: number): string | undefined {
  if (error instanceof Refusal) return error.refusal;
  if (!(error instanceof IsolatedFailure)) return attempt >= triesOfAll ? 'unavailable' : undefined;
  if (error.reason === 'refused') return error.detail ?? 'unreadable';
  if (error.reason === 'input') return 'too_large';
  if (error.reason === 'stopped') return attempt >= triesOfAll ? 'time' : undefined;
  return attempt >= triesOfFile ? error.reason : undefined;
}

/** Every place is taken: later, without counting as a try. */
async function again(parts: Parts, tenant: Tenant, of: Named): Promise<void> {
  await tenant.db.transaction(async (tx) => {
    if (!(await holdVersion(tx, of.document_id, of.version_id))) return;
    await requestRendition(parts, tx, tenant, of, tenant.clock.now() + busyPause);
  });
}

async function settle(tenant: Tenant, of: Named, reason: string | undefined): Promise<void> {
  const { version_id, document_id } = of;
  await tenant.db.transaction(async (tx) => {
    if (!(await holdVersion(tx, document_id, version_id))) return;
    if ((await findRendition(tx, version_id))?.state !== 'pending') return;
    const nothing = { pages: null, encoding: null, truncated: 0, updated_at: tenant.clock.iso() };
    const state = reason === undefined ? 'pending' : 'failed';
    await writeRendition(tx, { version_id, document_id, state, reason: reason ?? null, ...nothing });
  });
}

async function prepare(
  tenant: Tenant,
  isolated: Isolated,
  version: NamedVersion,
  signal: AbortSignal,
): Promise<Prepared> {
  const kind = kindOf(version.mime_type, version.filename);
  if (kind === undefined) throw new Refusal('unsupported');
  const size = Number(version.size_bytes);
  if (size > largest[kind]) throw new Refusal('too_large');
  if (kind === 'text') return ofText(tenant, version.file_key, size);
  if (size === 0) throw new Refusal('empty');
  const result = await isolated.run({
    program: new URL('../renditions/program.ts', import.meta.url),
    task: { kind },
    input: () => tenant.files.get(version.file_key),
    limits: { ...limits, inputBytes: largest[kind] },
    signal,
    patience,
  });
  return checked(result);
}

async function ofText(tenant: Tenant, key: string, size: number): Promise<Prepared> {
  const looked = Math.min(size, bounds.text + 4);
  const chunks: Uint8Array[] = [];
  if (looked > 0) {
    const range = { start: 0, end: looked - 1 };
    for await (const chunk of await tenant.files.get(key, range)) chunks.push(chunk as Uint8Array);
  }
  const bytes = Buffer.concat(chunks);
  const encoding = encodingOf(bytes, looked === size);
  if (encoding === undefined) throw new Refusal('not_text');
  const truncated = size > bounds.text;
  if (encoding !== 'utf-8') {
    const made = madeOfText(decoded(bytes, encoding));
    const parts = made.parts.map((part) => prepared(part.role, part.page, part.type, part.bytes));
    return { pages: null, encoding, truncated: truncated || made.truncated, parts };
  }
  const own = (role: 'preview' | 'text', most: number): PreparedPart => ({
    role,
    page: 1,
    mime_type: 'text/plain',
    size_bytes: cutUtf8(bytes, most).bytes.length,
    bytes: null,
  });
  return { pages: null, encoding, truncated, parts: [own('preview', bounds.previewText), own('text', bounds.text)] };
}

function prepared(role: PreparedPart['role'], page: number, type: string, bytes: Uint8Array): PreparedPart {
  return { role, page, mime_type: type, size_bytes: bytes.length, bytes };
}

const Facts = z.strictObject({
  pages: z.number().int().min(0).max(1_000_000_000).nullable(),
  truncated: z.boolean(),
  parts: z
    .array(
      z.strictObject({
        role: z.enum(roles),
        page: z.number().int().min(1).max(bounds.pages),
        type: z.enum(['image/webp', 'text/plain']),
      }),
    )
    .max(bounds.pages + 2),
});

/** The answer of a process that read a hostile file: what does not look like our own work is none. */
function checked({ facts, blobs }: IsolatedResult): Prepared {
  const read = Facts.safeParse(facts);
  if (!read.success || read.data.parts.length !== blobs.length) throw new IsolatedFailure('crashed');
  const names = new Set(read.data.parts.map(({ role, page }) => `${role} ${page}`));
  if (names.size !== blobs.length) throw new IsolatedFailure('crashed');
  const parts = read.data.parts.map(({ role, page, type }, index) => {
    const bytes = blobs[index]!;
    if (type === 'image/webp' && Buffer.from(bytes).toString('latin1', 8, 12) !== 'WEBP') {
      throw new IsolatedFailure('crashed');
    }
    return prepared(role, page, type, bytes);
  });
  return { pages: read.data.pages, encoding: null, truncated: read.data.truncated, parts };
}

interface Stored {
  readonly part: PreparedPart;
  readonly object: { readonly key: string; readonly sha256: string; readonly size: number } | null;
}

/** Makes it durable, then writes it down. Where the version is gone meanwhile nothing is left. */
async function keep(tenant: Tenant, inHand: InHand, of: Named, made: Prepared): Promise<void> {
  const keys: string[] = [];
  const onKey = (key: string) => {
    keys.push(key);
    inHand.add(tenant.id, key);
  };
  let kept: ReadonlySet<string> = new Set();
  try {
    const stored: Stored[] = [];
    for (const part of made.parts) {
      const { bytes } = part;
      const object = bytes === null ? null : await tenant.files.put(Readable.from([Buffer.from(bytes)]), { onKey });
      stored.push({ part, object });
    }
    kept = await writeDone(tenant, of, made, stored);
  } finally {
    for (const key of keys) {
      if (!kept.has(key)) await discardUnlessKept(tenant, inHand, key);
      inHand.remove(tenant.id, key);
    }
  }
}

/** Gives the keys that are referred to. */
async function writeDone(
  tenant: Tenant,
  of: Named,
  made: Prepared,
  stored: readonly Stored[],
): Promise<ReadonlySet<string>> {
  const { version_id, document_id } = of;
  return tenant.db.transaction(async (tx) => {
    if (!(await holdVersion(tx, document_id, version_id))) return new Set<string>();
    // Another try of the same was faster.
    if ((await findRendition(tx, version_id))?.state !== 'pending') return new Set<string>();
    const rows: RenditionPartTable[] = [];
    // Always in the same order, so that two of these never wait for each other.
    for (const { part, object } of [...stored].sort((a, b) => order(a).localeCompare(order(b)))) {
      const { role, page, mime_type, size_bytes } = part;
      const file_key = object === null ? null : await referenceFile(tx, object);
      rows.push({ version_id, document_id, role, page, mime_type, size_bytes, file_key });
    }
    const { pages, encoding, truncated } = made;
    const facts = { pages, encoding, truncated: truncated ? 1 : 0, updated_at: tenant.clock.iso() };
    await writeRendition(tx, { version_id, document_id, state: 'done', reason: null, ...facts });
    await insertParts(tx, rows);
    return new Set(rows.flatMap(({ file_key }) => file_key ?? []));
  });
}

const order = ({ object }: Stored) => object?.sha256 ?? '';
