/** A real kernel with accounts and documents, companies with people of every role, for the tests beside this file. */
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openTestKernel, testOperator } from '../../../test/support/kernel.ts';
import { shiftedClock } from '../../kernel/clock.ts';
import type { Actor, MemberCaller, Tenant } from '../../kernel/handles.ts';
import { newId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { MultipartPart, RequestInfo } from '../../kernel/module.ts';
import type { PlacementKind } from '../../kernel/placements/placement.ts';
import type { Preset, Role } from '../../kernel/roles.ts';
import type { Config } from '../../kernel/settings.ts';
import { createAccounts } from '../accounts/index.ts';
import type { ListDocuments } from './contract.ts';
import { type Acting, actingOf, createDocuments, type Documents } from './index.ts';
import type { Kept } from './service/content.ts';

export interface Person extends Acting {
  readonly id: string;
}

export interface Company {
  readonly tenant: Tenant;
  person(role: Role): Promise<Person>;
  setRole(person: Person, role: Role): Promise<Person>;
  /** Keys of objects in the bucket, and names of what is temporary. */
  objects(): string[];
  temporaries(): string[];
}

interface CompanyOptions {
  readonly preset?: Preset;
  readonly quotaBytes?: number;
  readonly placement?: PlacementKind;
}

export interface World {
  readonly kernel: Kernel;
  readonly dataDir: string;
  readonly documents: Documents;
  travel(ms: number): void;
  company(options?: CompanyOptions): Promise<Company>;
}

export async function openWorld(overrides: Partial<Config> = {}): Promise<World> {
  let offset = 0;
  let documents!: Documents;
  const kernel = await openTestKernel(overrides, {
    clock: shiftedClock(() => offset),
    modules: (made) => {
      const accounts = createAccounts(made);
      documents = createDocuments(made, { accounts });
      return [accounts, documents.module];
    },
  });
  const { dataDir } = kernel.config;
  return {
    kernel,
    dataDir,
    documents,
    travel: (ms) => {
      offset += ms;
    },
    company: (options = {}) => newCompany(kernel, options),
  };
}

async function newCompany(kernel: Kernel, options: CompanyOptions): Promise<Company> {
  const { record } = await kernel.tenants.create(
    { name: 'Company', email: 'office@example.com', ...options },
    testOperator,
  );
  const tenant = await kernel.tenants.open(record.id, { kind: 'system' });
  const bucket = join(kernel.config.dataDir, 'buckets', record.bucket);

  async function as(id: string, role: Role): Promise<Person> {
    const actor: Actor & { kind: 'user' } = { kind: 'user', id, role, sessionId: 'sess_test' };
    const user = { id, username: id, email: `${id}@example.com`, fullName: `${role} person`, role };
    const handle = await kernel.tenants.open(record.id, actor);
    const caller: MemberCaller = { kind: 'member', actor, tenant: handle, user, sessionId: 'sess_test' };
    return { ...actingOf(caller, { ip: '192.0.2.1', requestId: 'request-1' }), id };
  }

  return {
    tenant,
    async person(role) {
      const id = newId('user');
      const at = new Date().toISOString();
      await tenant.db.transaction((tx) =>
        tx
          .insertInto('users')
          .values({
            id,
            username: null,
            email: `${id}@example.com`,
            full_name: `${role} person`,
            role,
            password_hash: null,
            is_active: 1,
            created_at: at,
            updated_at: at,
            last_sign_in_at: null,
          })
          .execute(),
      );
      return as(id, role);
    },
    async setRole(person, role) {
      await tenant.db.transaction((tx) => tx.updateTable('users').set({ role }).where('id', '=', person.id).execute());
      return as(person.id, role);
    },
    objects: () =>
      readdirSync(bucket, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !entry.parentPath.endsWith('tmp'))
        .map((entry) => entry.name),
    temporaries: () => readdirSync(join(bucket, 'tmp')),
  };
}

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

type Content = string | Uint8Array | Readable;

export function filePart(filename: string, content: Content, mimeType = 'application/octet-stream'): MultipartPart {
  const stream = content instanceof Readable ? content : Readable.from([Buffer.from(content)]);
  return { kind: 'file', name: 'file', filename, mimeType, stream };
}
export function fieldPart(name: string, value: string): MultipartPart {
  return { kind: 'field', name, value };
}

type Body = Pick<RequestInfo, 'parts' | 'header' | 'signal' | 'raw' | 'confirm'>;

/** A request with these parts or these raw bytes. */
export function request(options: {
  parts?: readonly MultipartPart[];
  raw?: Readable | Uint8Array | string;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal;
}): Body {
  const { raw = '' } = options;
  return {
    raw: raw instanceof Readable ? raw : Readable.from(raw.length === 0 ? [] : [Buffer.from(raw)]),
    header: (name) => options.headers?.[name],
    signal: options.signal ?? new AbortController().signal,
    confirm: async () => {},
    async *parts() {
      yield* options.parts ?? [];
    },
  };
}

/** Uploads one file, with fields behind it. */
export function upload(
  world: World,
  person: Person,
  filename: string,
  content: Content,
  fields: Readonly<Record<string, string>> = {},
  declared?: string,
): Promise<Kept> {
  const parts = [
    filePart(filename, content, declared),
    ...Object.entries(fields).map(([name, value]) => fieldPart(name, value)),
  ];
  // As over HTTP: small bodies that say so are not looked at before they are read.
  const headers = content instanceof Readable ? {} : { 'content-length': String(content.length + 200) };
  return world.documents.uploads.upload(person, request({ parts, headers }));
}

/** A list query as the contract gives it on. */
export const query = (values: Record<string, unknown> = {}) => values as ListDocuments;

/** Names of all that a person's list shows. */
export async function listed(world: World, person: Person, values: Record<string, unknown> = {}): Promise<string[]> {
  const page = await world.documents.documents.list(person, query({ limit: 200, ...values }));
  return page.items.map((item) => item.filename).sort();
}

/** Code of the refusal that this ends in; `ok` where there was none. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'ok';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

export async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export async function download(
  world: World,
  person: Person,
  id: string,
  headers: Record<string, string> = {},
  version?: string,
) {
  const answer = await world.documents.downloads.open(person, id, version, (name) => headers[name]);
  return { ...answer, text: 'body' in answer ? await textOf(answer.body) : '' };
}
