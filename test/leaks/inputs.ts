/**
 * What the leak test must know of each route beyond its contract: which kind of thing a path parameter names, and the
 * least body that reaches the look-up. A route that is missing here fails the test, so a new one cannot slip past it.
 */
import type { IdKind } from '../../src/kernel/ids.ts';
import { fileForm } from '../support/story.ts';

/** Things that a company holds, by the name under which `World.ids` keeps them. */
export type Thing =
  | 'company'
  | 'user'
  | 'document'
  | 'basket'
  | 'upload'
  | 'session'
  | 'invitation'
  | 'migration'
  | 'operator';

export const idKindOf: Record<Thing, IdKind> = {
  company: 'company',
  user: 'user',
  document: 'document',
  basket: 'basket',
  upload: 'upload',
  session: 'session',
  invitation: 'invitation',
  migration: 'migration',
  operator: 'operator',
};

/** `path {parameter}` → what it names. `null`: not an id of a thing, filled with a fixed text. */
const byPath: [RegExp, Record<string, Thing | string>][] = [
  [/^\/api\/companies\/\{id\}/, { id: 'company' }],
  [/^\/api\/system\/connections\/\{company_id\}$/, { company_id: 'company' }],
  [/^\/api\/system\/migrations\/\{id\}$/, { id: 'migration' }],
  [/^\/api\/system\/users\/\{id\}$/, { id: 'operator' }],
  [/^\/api\/auth\/sessions\/\{id\}$/, { id: 'session' }],
  [/^\/api\/user-management\/users\/\{id\}/, { id: 'user' }],
  [/^\/api\/user-management\/invitations\/\{id\}/, { id: 'invitation' }],
  [/^\/api\/documents\/\{id\}\/shares\/\{grantee\}$/, { id: 'document', grantee: 'user' }],
  [/^\/api\/baskets\/\{id\}\/shares\/\{grantee\}$/, { id: 'basket', grantee: 'user' }],
  [/^\/api\/documents\/\{id\}\/versions\/\{n\}/, { id: 'document', n: '=1' }],
  [/^\/api\/documents\/\{id\}/, { id: 'document' }],
  [/^\/api\/baskets\/\{id\}/, { id: 'basket' }],
  [/^\/api\/uploads\/\{id\}$/, { id: 'upload' }],
  // A secret, not an id: whoever holds it may use it. Its own tests are with the invitations.
  [/^\/api\/user-management\/invitation\/\{token\}$/, { token: '=unknown' }],
];

export interface PathParameter {
  readonly name: string;
  readonly thing: Thing | undefined;
  /** Text for a parameter that names no thing. */
  readonly fixed: string | undefined;
}

/** The parameters of a path, or an error that says what to add here. */
export function parametersOf(path: string): PathParameter[] {
  const names = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]!);
  if (names.length === 0) return [];
  const known = byPath.find(([pattern]) => pattern.test(path))?.[1];
  return names.map((name) => {
    const value = known?.[name];
    if (value === undefined) throw new Error(`test/leaks/inputs.ts does not know {${name}} of ${path}`);
    return value.startsWith('=')
      ? { name, thing: undefined, fixed: value.slice(1) }
      : { name, thing: value as Thing, fixed: undefined };
  });
}

export interface RequestBody {
  readonly body?: unknown;
  readonly raw?: BodyInit;
  readonly headers?: Record<string, string>;
}

const tus = { 'tus-resumable': '1.0.0' };
const password = 'a long pass phrase of nobody';

/**
 * The least body by operation id; `id(thing)` gives the id under test, so that ids in bodies are tried as those in
 * paths are. `fresh` is unique at every call.
 */
export const bodies: Record<string, (id: (thing: Thing) => string, fresh: string) => RequestBody> = {
  login: (id) => ({ body: { username: 'nobody-at-all', password, company: id('company') } }),
  token: (id) => ({
    raw: new URLSearchParams({ username: 'nobody-at-all', password, company: id('company') }),
  }),
  moveCompanyNode: () => ({ body: { node: 'no-such-node:5432' } }),
  refresh: () => ({ body: { refresh_token: 'unknown' } }),
  switchCompany: (id) => ({ body: { company_id: id('company'), password } }),
  // Says nothing about any document: that the GET does.
  ticket: () => ({ body: { path: '/api/documents/any/download' } }),
  changePassword: () => ({ body: { current_password: password, new_password: `${password} anew` } }),
  register: (id, fresh) => ({
    body: { name: 'A person', email: `${fresh}@people.example`, password, company_id: id('company') },
  }),
  forgotPassword: (id) => ({ body: { username: 'nobody-at-all', company: id('company') } }),
  resetPassword: () => ({ body: { token: 'unknown', password } }),
  setup: (_, fresh) => ({ body: { token: 'unknown', username: fresh, email: `${fresh}@people.example`, password } }),
  invite: (_, fresh) => ({ body: { email: `${fresh}@people.example`, full_name: 'A person', role: 'customer' } }),
  acceptInvitation: () => ({ body: { token: 'unknown', password } }),
  updateUser: () => ({ body: { full_name: 'Another name' } }),
  updateOwnCompany: () => ({ body: {} }),
  createOperator: (_, fresh) => ({ body: { username: fresh, email: `${fresh}@people.example`, password } }),
  updateOperator: () => ({ body: { full_name: 'Another name' } }),
  createCompany: (_, fresh) => ({ body: { name: `Company ${fresh}`, email: `${fresh}@people.example` } }),
  updateCompany: () => ({ body: { name: 'Another name' } }),
  inviteAdmin: (_, fresh) => ({ body: { email: `${fresh}@people.example`, full_name: 'A person' } }),
  startMigration: () => ({ body: { dry_run: true } }),
  uploadDocument: (id, fresh) => ({ raw: fileForm(`${fresh}.txt`, 'some bytes', { basket_id: id('basket') }) }),
  updateDocument: (id) => ({ body: { basket_id: id('basket') } }),
  // What it says of each document is compared by the answer's text, what it says of the basket by its status as well.
  bulkDocuments: (id) => ({
    body: { ids: [id('document')], action: { type: 'move', basket_id: id('basket') } },
  }),
  archiveDocuments: (id) => ({ body: { ids: [id('document')] } }),
  addVersion: () => ({ raw: fileForm('version.txt', 'other bytes') }),
  setDocumentSettings: () => ({ body: { denied_types: [] } }),
  putDocumentShare: () => ({ body: { access: 'read' } }),
  putBasketShare: () => ({ body: { access: 'read' } }),
  createBasket: (_, fresh) => ({ body: { name: fresh } }),
  updateBasket: (_, fresh) => ({ body: { name: fresh } }),
  createUpload: (id, fresh) => ({
    headers: {
      ...tus,
      'upload-length': '10',
      'upload-metadata': `filename ${btoa(`${fresh}.txt`)},basket_id ${btoa(id('basket'))}`,
    },
  }),
  getUploadOffset: () => ({ headers: tus }),
  terminateUpload: () => ({ headers: tus }),
  appendToUpload: () => ({
    headers: { ...tus, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    raw: 'some',
  }),
};

/** Query parameters that name a thing: `listDocuments?owner=`, tried with every kind of id. */
export const queries: Record<string, Record<string, Thing>> = {
  listDocuments: { owner: 'user', basket_id: 'basket' },
  listBasketDocuments: { owner: 'user' },
};

/** Routes whose refusals depend on the caller's own state and not on any id: what they do is tested elsewhere. */
export const endsOwnSession = new Set(['logout', 'endOtherSessions']);
