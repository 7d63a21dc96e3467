/**
 * What operators may ask of the fleet: companies with their lifecycle, and the state of the whole installation.
 *
 * Every route here is for operators alone (`GET /api/system/status` answers everybody, with one word). Browser-safe.
 */
import { z } from 'zod';
import { contract, IdParam, listOf, operator, paging, Time } from '../../kernel/contract.ts';
import { CompanyNameText, EmailText, FullNameText } from '../../kernel/shapes.ts';
import { CompanyFigures, PlacementName, span, systemRoutes } from './system-contract.ts';

export * from './system-contract.ts';

// --- Texts and enumerations ------------------------------------------------------------------------------------------

/** What stands in addresses and is typed to confirm a deletion. Unique in the fleet. */
export const Slug = z
  .string()
  .max(40, 'at most 40 characters')
  .regex(/^[a-z0-9](-?[a-z0-9])*$/, 'lower-case letters and digits, with single hyphens between them');

const states = ['creating', 'active', 'suspended', 'deleting', 'purging', 'failed'] as const;
export const CompanyStatus = z.enum(states);
const Preset = z.enum(['company', 'workspace']);
const SearchText = z
  .string()
  .max(200, 'at most 200 characters')
  .refine((text) => text.isWellFormed() && !text.includes('\u0000'), 'must be well-formed Unicode without NUL');
const Bytes = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

// --- Companies -------------------------------------------------------------------------------------------------------

/** The first administrator's one-time link; in no other answer than that of the request that made it. */
export const FirstInvitation = z.object({ setup_url: z.string(), token: z.string(), expires_at: Time });

export const Company = z.object({
  id: z.string(),
  name: z.string(),
  slug: z.string(),
  email: z.string(),
  status: CompanyStatus,
  placement: PlacementName,
  database_name: z.string().describe('Physical name of the file, schema or database; made from the id alone'),
  bucket: z.string().describe('Physical name of the folder or bucket; made from the id alone'),
  roles: Preset,
  region: z.string().nullable(),
  quota_bytes: Bytes.nullable().describe('Logical bytes; null for no limit'),
  registration: z.enum(['open', 'closed']),
  schema_version: z.number().int().describe('Tenant migrations applied'),
  created_at: Time,
  deleted_at: Time.nullable().describe('When deletion was asked for'),
  purge_after: Time.nullable().describe('Until when the company can be restored'),
});
export type Company = z.output<typeof Company>;

export const CompanyDetail = Company.extend({
  node: z
    .string()
    .nullable()
    .describe('The node of a Citus cluster that the database is on, as `host:port`; null elsewhere, or where unknown'),
});
export type CompanyDetail = z.output<typeof CompanyDetail>;

export const CreatedCompany = Company.extend({ invitation: FirstInvitation.optional() });
export type CreatedCompany = z.output<typeof CreatedCompany>;

const Person = z.strictObject({ email: EmailText, full_name: FullNameText });

export const CreateCompany = z.strictObject({
  name: CompanyNameText,
  email: EmailText,
  slug: Slug.optional(),
  placement: PlacementName.optional(),
  region: z
    .string()
    .max(64, 'at most 64 characters')
    .regex(/^[a-z0-9](-?[a-z0-9])*$/, 'lower-case letters and digits, with single hyphens between them')
    .optional(),
  quota_bytes: Bytes.nullable().optional(),
  roles: Preset.optional(),
  admin: Person.optional(),
});

export const UpdateCompany = z.strictObject({
  name: CompanyNameText.optional(),
  email: EmailText.optional(),
  registration: z.enum(['open', 'closed']).optional(),
  quota_bytes: Bytes.nullable().optional(),
});

/** What is answered while the work goes on; `operation_id` stands in the company's journal. */
export const Accepted = z.object({
  id: z.string().describe('The company'),
  slug: z.string(),
  operation_id: z.string(),
  status: CompanyStatus,
});

export const MovedCompany = z.object({
  id: z.string(),
  slug: z.string(),
  node: z.string().describe('Where it is, or is being moved to'),
});

const AcceptedCreation = Accepted.extend({ invitation: FirstInvitation.optional() });

export const CompanyStats = z.object({
  users: z.number().int(),
  documents: z.number().int(),
  files: z.number().int(),
  bytes: z.number().int().describe('Logical bytes of documents'),
  database_bytes: z.number().int(),
  last_activity_at: Time.nullable(),
});
export type CompanyStats = z.output<typeof CompanyStats>;

export const DatabaseTest = z.object({
  ok: z.boolean(),
  placement: PlacementName,
  latency_ms: z.number(),
  schema_version: z.number().int(),
  identity: z.enum(['match', 'mismatch', 'unknown']),
  reason: z.string().optional().describe('Why it is not ok; never a host, a password or a driver message'),
});
export type DatabaseTest = z.output<typeof DatabaseTest>;

const StepStatus = z.enum(['pending', 'running', 'done', 'failed', 'undone']);

export const CompanyOperation = z.object({
  id: z.string(),
  company_id: z.string(),
  verb: z.enum(['create', 'migrate', 'suspend', 'resume', 'delete', 'restore', 'purge']),
  status: z.enum(['running', 'succeeded', 'failed', 'undone']),
  attempts: z.number().int(),
  actor: z.string(),
  started_at: Time,
  finished_at: Time.nullable(),
  reason: z.string().nullable(),
  steps: z.array(
    z.object({
      name: z.string(),
      status: StepStatus,
      started_at: Time.nullable(),
      finished_at: Time.nullable(),
      reason: z.string().nullable(),
    }),
  ),
});

/** One line of the journal, newest first. */
export const DatabaseLogLine = z.object({
  at: Time,
  operation_id: z.string(),
  verb: z.string(),
  step: z.string(),
  status: StepStatus,
  duration_ms: z.number().nullable(),
  reason: z.string().nullable(),
});

export const AdminInvitation = z.object({
  id: z.string(),
  email: z.string(),
  full_name: z.string(),
  role: z.string(),
  status: z.string(),
  expires_at: Time,
  setup_url: z.string(),
  token: z.string(),
});

// --- Routes ----------------------------------------------------------------------------------------------------------

const params = z.object({ id: IdParam });

const companyRoutes = contract({
  createCompany: {
    method: 'POST',
    path: '/api/companies',
    summary: 'Create a company with a database and a bucket of its own',
    description: 'With `Prefer: respond-async` the answer is 202 as soon as the operation is in the journal.',
    access: operator,
    body: CreateCompany,
    answers: { 201: CreatedCompany, 202: AcceptedCreation },
    errors: ['slug_taken', 'placement_unavailable'],
    creates: 'sealed',
  },
  listCompanies: {
    method: 'GET',
    path: '/api/companies',
    summary: 'Companies',
    access: operator,
    query: z.object({
      ...paging,
      q: SearchText.optional().describe('Part of name, slug or e-mail, taken literally'),
      status: CompanyStatus.optional(),
      placement: PlacementName.optional(),
      sort: z.enum(['created_at', '-created_at', 'name', '-name']).optional(),
    }),
    answers: { 200: listOf(Company) },
  },
  getCompany: {
    method: 'GET',
    path: '/api/companies/{id}',
    summary: 'One company',
    access: operator,
    params,
    answers: { 200: CompanyDetail },
  },
  updateCompany: {
    method: 'PATCH',
    path: '/api/companies/{id}',
    summary: 'Change name, e-mail, registration or quota',
    access: operator,
    params,
    body: UpdateCompany,
    answers: { 200: Company },
    errors: ['company_deleting'],
  },
  getCompanyStats: {
    method: 'GET',
    path: '/api/companies/{id}/stats',
    summary: 'Counts and sizes of one company',
    access: operator,
    params,
    answers: { 200: CompanyStats },
    errors: ['company_unavailable', 'company_not_ready', 'company_deleting'],
  },
  getCompanyFigures: {
    method: 'GET',
    path: '/api/companies/{id}/figures',
    summary: 'Documents and bytes of one company by day',
    access: operator,
    params,
    query: z.object(span),
    answers: { 200: CompanyFigures },
  },
  testCompanyDatabase: {
    method: 'GET',
    path: '/api/companies/{id}/database/test',
    summary: 'Whether the company’s database answers and is its own',
    access: operator,
    params,
    answers: { 200: DatabaseTest },
  },
  listCompanyDatabaseLogs: {
    method: 'GET',
    path: '/api/companies/{id}/database/logs',
    summary: 'The journal as lines, newest first',
    access: operator,
    params,
    query: z.object(paging),
    answers: { 200: listOf(DatabaseLogLine) },
  },
  listCompanyOperations: {
    method: 'GET',
    path: '/api/companies/{id}/operations',
    summary: 'The journal: every operation with its steps, newest first',
    access: operator,
    params,
    query: z.object(paging),
    answers: { 200: listOf(CompanyOperation) },
  },
  suspendCompany: {
    method: 'POST',
    path: '/api/companies/{id}/suspend',
    summary: 'Refuse every sign-in and token of the company',
    access: operator,
    params,
    answers: { 200: Company },
    errors: ['company_deleting', 'company_not_ready'],
  },
  resumeCompany: {
    method: 'POST',
    path: '/api/companies/{id}/resume',
    summary: 'Let a suspended company work again',
    access: operator,
    params,
    answers: { 200: Company },
    errors: ['company_deleting', 'company_not_ready'],
  },
  moveCompanyNode: {
    method: 'POST',
    path: '/api/companies/{id}/move-node',
    summary: 'Move the company’s database to another node of its Citus cluster',
    description:
      'It is used meanwhile; writes wait for a moment at the end. The answer waits up to 30 s and is 202 when the ' +
      'move goes on after that.',
    access: operator,
    params,
    body: z.strictObject({
      node: z.string().trim().min(1).max(300, 'at most 300 characters').describe('`host:port`, as Citus knows it'),
    }),
    answers: { 200: MovedCompany, 202: MovedCompany },
    errors: ['not_on_citus', 'node_unknown', 'company_deleting', 'company_not_ready'],
  },
  inviteAdmin: {
    method: 'POST',
    path: '/api/companies/{id}/invite-admin',
    summary: 'Invite an administrator of the company',
    access: operator,
    params,
    body: Person,
    answers: { 201: AdminInvitation },
    errors: ['already_user', 'already_invited', 'company_suspended', 'company_unavailable', 'company_not_ready'],
    creates: 'sealed',
  },
  deleteCompany: {
    method: 'DELETE',
    path: '/api/companies/{id}',
    summary: 'Delete a company',
    description:
      'Without `confirm=<slug>` a company with active users is refused. It is kept for the grace period; with ' +
      '`purge=now` the answer waits up to 30 s and is 204 when database, bucket, keys and files are gone.',
    access: operator,
    params,
    query: z.object({ confirm: z.string().max(1_000).optional(), purge: z.enum(['now']).optional() }),
    answers: { 202: Accepted, 204: null },
    errors: ['company_not_empty', 'company_not_ready', 'confirmation_wrong'],
  },
  restoreCompany: {
    method: 'POST',
    path: '/api/companies/{id}/restore',
    summary: 'Take a deletion back within the grace period',
    access: operator,
    params,
    answers: { 200: Company },
    errors: ['company_not_deleting'],
  },
});

export const fleetContract = contract({ ...systemRoutes, ...companyRoutes });
