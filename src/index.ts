/**
 * The library: companies with databases of their own, and documents in them, inside a program of yours.
 *
 *     import { open } from 'strongroom';
 *
 *     const strongroom = await open({ dataDir: './data' });
 *     const company = await strongroom.companies.create({ name: 'Acme', email: 'it@acme.example' });
 *     const person = await strongroom.people.add(company.id, { email: 'a@acme.example', fullName: 'A', role: 'hr_admin' });
 *     const member = await strongroom.as(company.id, person.id);
 *     const document = await member.documents.upload(bytes, { filename: 'contract.pdf' });
 *     await strongroom.close();
 *
 * One process owns a data folder at a time. What a member may see and do is decided by their role exactly as over
 * HTTP. Refusals are `StrongroomError`s with a kind and a code.
 */
import { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Clock } from './kernel/clock.ts';
import { loadConfig } from './kernel/config.ts';
import { invalid, notFound } from './kernel/errors.ts';
import type { Actor, MemberCaller, Tenant } from './kernel/handles.ts';
import type { Kernel } from './kernel/kernel.ts';
import type { Logger } from './kernel/log.ts';
import type { MultipartPart } from './kernel/module.ts';
import { openKernel } from './kernel/open.ts';
import type { Config } from './kernel/settings.ts';
import type { Connections, TenantRecord } from './kernel/tenants/tenants.ts';
import type { ImportedPerson } from './modules/accounts/index.ts';
import type { Document, ListDocuments, UpdateDocument } from './modules/documents/contract.ts';
import { type Acting, actingOf } from './modules/documents/index.ts';
import { CreateCompany } from './modules/fleet/contract.ts';
import { tenantOldestServed } from './modules/heads.ts';
import { createModules, type Modules } from './modules/index.ts';

export { type ErrorKind, type FieldError, isStrongroomError, StrongroomError } from './kernel/errors.ts';
export type { Tenant } from './kernel/handles.ts';
export type { Document } from './modules/documents/contract.ts';

export interface StrongroomOptions {
  /** Folder that holds everything. Default `./data`. */
  readonly dataDir?: string;
  /** Any other setting, by its name in code (`maxConnections`); checked as the server checks it. */
  readonly settings?: Partial<Config>;
  /** Run jobs and lifecycle in this process. Default true. */
  readonly worker?: boolean;
  readonly log?: Logger;
  readonly clock?: Clock;
}

/** A company as the control database knows it. */
export interface Company {
  readonly id: TenantRecord['id'];
  readonly name: string;
  readonly slug: string;
  readonly email: string;
  readonly status: TenantRecord['state'];
  readonly placement: TenantRecord['placement']['kind'];
  /** Physical name of its file, schema or database. */
  readonly databaseName: string;
  readonly bucket: string;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

export interface Companies {
  /** Resolves when database, bucket and everything in them are there. @throws invalid, conflict `slug_taken` */
  create(input: z.input<typeof CreateCompany>): Promise<Company>;
  /** By id or slug. @throws not_found */
  get(idOrSlug: string): Promise<Company>;
  /** Every company, oldest first, page by page. */
  list(): AsyncGenerator<Company, void, void>;
  /**
   * Deletes a company: kept for the grace period, or with `purge` gone when this resolves.
   * @throws conflict `company_not_empty` where it has active people and `confirm` is not its slug
   */
  delete(id: string, options?: { confirm?: string; purge?: boolean }): Promise<void>;
}

export type UploadSource = Uint8Array | Readable | AsyncIterable<Uint8Array>;

export interface UploadOptions {
  readonly filename: string;
  readonly mimeType?: string;
  readonly basketId?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly onConflict?: 'error' | 'version' | 'rename';
  readonly signal?: AbortSignal;
}

/** The documents of one company as one member of it sees them. */
export interface MemberDocuments {
  /** Resolves when the bytes and the row are durable. @throws conflict `filename_taken`, too_large */
  upload(source: UploadSource, options: UploadOptions): Promise<Document>;
  list(query?: ListDocuments): Promise<{ items: readonly Document[]; next_cursor: string | null }>;
  /** @throws not_found for whatever this member may not see */
  get(id: string): Promise<Document>;
  /** The bytes of the newest version, or of one by its number. */
  download(id: string, options?: { version?: number }): Promise<Readable>;
  update(id: string, change: UpdateDocument): Promise<Document>;
  /** Into the trash, which empties by itself. */
  trash(id: string): Promise<void>;
  restore(id: string): Promise<Document>;
  /** For good. */
  purge(id: string): Promise<void>;
}

export interface Member {
  /** The handle for what your own code keeps in this company's database and bucket. */
  readonly tenant: Tenant;
  readonly documents: MemberDocuments;
}

export interface Strongroom {
  readonly companies: Companies;
  readonly people: {
    /** Adds a person, or finds exactly this one. They sign in once they have a password. */
    add(companyId: string, person: ImportedPerson): Promise<{ readonly id: string }>;
  };
  /**
   * A company through the eyes of one of its people. Made anew for each piece of work: role and state are read here.
   * @throws not_found, unauthenticated `company_suspended`
   */
  as(companyId: string, userId: string): Promise<Member>;
  /** Open connections to companies' databases, under one budget. */
  readonly connections: Connections;
  /** Finishes what runs and gives the folder back. */
  close(): Promise<void>;
}

const actor: Actor = { kind: 'host' };

/** @throws invalid `config_invalid`; unavailable `folder_in_use` where another process owns the folder */
export async function open(options: StrongroomOptions = {}): Promise<Strongroom> {
  const flags = {
    logLevel: 'error',
    ...options.settings,
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
  };
  const { config } = loadConfig({ env: {}, file: null, flags });
  const kernel = await openKernel(config, {
    oldestServed: tenantOldestServed,
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  try {
    const modules = createModules(kernel);
    kernel.register(modules.all);
    await kernel.start({ worker: options.worker ?? true });
    return strongroomOf(kernel, modules);
  } catch (error) {
    await kernel.close();
    throw error;
  }
}

function strongroomOf(kernel: Kernel, modules: Modules): Strongroom {
  return {
    companies: companiesOf(modules),
    people: {
      async add(companyId, person) {
        const record = await modules.fleet.companies.find(companyId);
        const { id } = await modules.accounts.importPerson(kernel.tenants.openAny(record, actor), person, actor);
        return { id };
      },
    },
    async as(companyId, userId) {
      const caller = await callerOf(kernel, modules, companyId, userId);
      return { tenant: caller.tenant, documents: documentsOf(modules, actingOf(caller)) };
    },
    connections: kernel.connections,
    async close() {
      await modules.accounts.settled();
      await kernel.close();
    },
  };
}

function companiesOf({ fleet }: Modules): Companies {
  const { companies } = fleet;
  return {
    async create(input) {
      const parsed = CreateCompany.safeParse(input);
      if (!parsed.success) {
        const fields = parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
        throw invalid('The company breaks a rule.', fields);
      }
      return companyOf((await companies.create(parsed.data, actor)).record);
    },
    get: async (idOrSlug) => companyOf(await companies.find(idOrSlug)),
    async *list() {
      let after: readonly string[] | undefined;
      do {
        const page = await companies.list({ limit: 200, filter: {}, sort: 'created_at', after, total: false });
        for (const record of page.items) yield companyOf(record);
        after = page.next ?? undefined;
      } while (after !== undefined);
    },
    async delete(id, { confirm, purge = false } = {}) {
      await companies.delete(id, { purge, ...(confirm === undefined ? {} : { confirm }) }, actor);
    },
  };
}

function companyOf(record: TenantRecord): Company {
  const { id, name, slug, email, state, placement, bucket, createdAt } = record;
  return {
    id,
    name,
    slug,
    email,
    status: state,
    placement: placement.kind,
    databaseName: placement.unit,
    bucket,
    createdAt,
  };
}

/** The member that a person of this company is now. */
async function callerOf(kernel: Kernel, modules: Modules, companyId: string, userId: string): Promise<MemberCaller> {
  const { id } = await modules.fleet.companies.get(companyId);
  const row = await modules.accounts.userById(await kernel.tenants.open(id, actor), userId);
  if (row === undefined || row.is_active !== 1) throw notFound();
  const { role } = row;
  const sessionId = 'library';
  const acting = { kind: 'user', id: userId, role, sessionId } as const;
  const user = { id: userId, username: row.username ?? row.email, email: row.email, fullName: row.full_name, role };
  return { kind: 'member', actor: acting, tenant: await kernel.tenants.open(id, acting), user, sessionId };
}

function documentsOf({ documents: services }: Modules, acting: Acting): MemberDocuments {
  const { documents, uploads, downloads } = services;
  return {
    async upload(source, options) {
      const length = source instanceof Uint8Array ? String(source.length) : undefined;
      const { document } = await uploads.upload(acting, {
        parts: () => partsOf(source, options),
        header: (name) => (name === 'content-length' ? length : undefined),
        signal: options.signal ?? new AbortController().signal,
        confirm: async () => {},
      });
      return document;
    },
    list: (query = {}) => documents.list(acting, query),
    get: async (id) => (await documents.get(acting, id)).document,
    async download(id, { version } = {}) {
      const number = version === undefined ? undefined : String(version);
      const answer = await downloads.open(acting, id, number, () => undefined);
      if (!('body' in answer)) throw notFound();
      return answer.body;
    },
    update: async (id, change) => (await documents.update(acting, id, change)).document,
    trash: (id) => documents.trash(acting, id),
    restore: async (id) => (await documents.restore(acting, id)).document,
    purge: (id) => documents.purge(acting, id),
  };
}

/** The upload as the parts of a form, which is how the rules of uploads read one. */
async function* partsOf(source: UploadSource, options: UploadOptions): AsyncGenerator<MultipartPart> {
  const field = (name: string, value: string) => ({ kind: 'field', name, value }) as const;
  if (options.basketId !== undefined) yield field('basket_id', options.basketId);
  if (options.metadata !== undefined) yield field('metadata', JSON.stringify(options.metadata));
  if (options.onConflict !== undefined) yield field('on_conflict', options.onConflict);
  const { filename, mimeType = 'application/octet-stream' } = options;
  // Bytes as one chunk: iterated, they would be single numbers.
  const stream = source instanceof Readable ? source : Readable.from(source instanceof Uint8Array ? [source] : source);
  yield { kind: 'file', name: 'file', filename, mimeType, stream };
}
