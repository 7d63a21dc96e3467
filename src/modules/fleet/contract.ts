/**
 * What operators may ask of the fleet: companies with their lifecycle, and the state of the whole installation.
 *
 * Every route here is for operators alone (`GET /api/system/status` answers everybody, with one word). Browser-safe.
 */
import { z } from 'zod';
import { anyone, contract, IdParam, listOf, operator, paging, queryFlag, Time } from '../../kernel/contract.ts';
import { CompanyNameText, EmailText, FullNameText } from '../../kernel/shapes.ts';

// --- Texts and enumerations ------------------------------------------------------------------------------------------

/** What stands in addresses and is typed to confirm a deletion. Unique in the fleet. */
export const Slug = z
  .string()
  .max(40, 'at most 40 characters')
  .regex(/^[a-z0-9](-?[a-z0-9])*$/, 'lower-case letters and digits, with single hyphens between them');

const placements = ['sqlite', 'schema', 'database', 'neon'] as const;
const states = ['creating', 'active', 'suspended', 'deleting', 'purging', 'failed'] as const;
export const PlacementName = z.enum(placements);
export const CompanyStatus = z.enum(states);
const Preset = z.enum(['company', 'workspace']);
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

// --- System ----------------------------------------------------------------------------------------------------------

export const SystemStatus = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string().optional(),
  companies: z.record(z.string(), z.number().int()).optional().describe('Number of companies by status'),
  placements: z.record(z.string(), z.number().int()).optional().describe('Number of companies by placement'),
  connections: z.object({ open: z.number().int(), budget: z.number().int(), waiting: z.number().int() }).optional(),
  migrations: z.object({ head: z.number().int(), behind: z.number().int(), failed: z.number().int() }).optional(),
  storage: z.object({ kind: z.enum(['disk', 's3']), ok: z.boolean(), reason: z.string().optional() }).optional(),
  uptime_s: z.number().int().optional(),
});

export const Connection = z.object({
  company_id: z.string(),
  open: z.number().int(),
  leased: z.number().int(),
  idle_since: Time.nullable(),
});

export const SystemAuditRow = z.object({
  id: z.string(),
  seq: z.number().int(),
  at: Time,
  actor: z.string(),
  action: z.string(),
  target: z.string().nullable(),
  outcome: z.string(),
  details: z.record(z.string(), z.unknown()),
  ip: z.string().nullable(),
  request_id: z.string().nullable(),
});

export const AuditVerification = z.object({
  ok: z.boolean(),
  rows: z.number().int(),
  sealed: z.number().int(),
  unsealed: z.number().int(),
  first_bad: z.object({ seq: z.number().int(), reason: z.string() }).optional(),
});
export type AuditVerification = z.output<typeof AuditVerification>;

export const MigrationPlan = z.object({
  head: z.number().int(),
  behind: z.number().int(),
  items: z.array(z.object({ company_id: z.string(), slug: z.string(), from: z.number().int(), to: z.number().int() })),
});
export type MigrationPlan = z.output<typeof MigrationPlan>;

export const MigrationRun = z.object({
  id: z.string(),
  status: z.enum(['running', 'succeeded', 'failed', 'stopped']),
  started_at: Time,
  finished_at: Time.nullable(),
  head: z.number().int(),
  total: z.number().int(),
  done: z.number().int(),
  failed: z.number().int(),
  items: z.array(
    z.object({
      company_id: z.string(),
      slug: z.string(),
      status: z.enum(['waiting', 'running', 'done', 'failed', 'skipped']),
      reason: z.string().nullable(),
    }),
  ),
});
export type MigrationRun = z.output<typeof MigrationRun>;

const whole = (max: number) => z.number().int().min(1).max(max);

export const StartMigration = z.strictObject({
  only: z.array(z.string().min(1).max(200)).min(1).max(1_000).optional().describe('Ids or slugs of companies'),
  concurrency: whole(64).optional(),
  canary: whole(1_000).optional().describe('So many first; the rest only when they succeed'),
  dry_run: z.boolean().optional().describe('Answers the plan and changes nothing'),
});

// --- Routes ----------------------------------------------------------------------------------------------------------

const params = z.object({ id: IdParam });

const systemRoutes = contract({
  getSystemStatus: {
    method: 'GET',
    path: '/api/system/status',
    summary: 'Whether the installation works',
    description: 'One word for everybody; versions, counts and budgets for operators alone.',
    access: anyone,
    answers: { 200: SystemStatus },
  },
  listConnections: {
    method: 'GET',
    path: '/api/system/connections',
    summary: 'Open connections to company databases',
    access: operator,
    answers: { 200: listOf(Connection) },
  },
  closeConnections: {
    method: 'DELETE',
    path: '/api/system/connections',
    summary: 'Close all connections to company databases',
    description: 'Each is closed when the request that uses it ends; the next request opens a new one.',
    access: operator,
    answers: { 204: null },
  },
  closeCompanyConnections: {
    method: 'DELETE',
    path: '/api/system/connections/{company_id}',
    summary: 'Close the connections of one company',
    access: operator,
    params: z.object({ company_id: IdParam }),
    answers: { 204: null },
  },
  listSystemAudit: {
    method: 'GET',
    path: '/api/system/audit',
    summary: 'The audit trail of the installation, newest first',
    access: operator,
    query: z.object({ limit: paging.limit, cursor: paging.cursor, verify: queryFlag.optional() }),
    answers: { 200: listOf(SystemAuditRow).extend({ verification: AuditVerification.optional() }) },
  },
  listMigrations: {
    method: 'GET',
    path: '/api/system/migrations',
    summary: 'What a fleet migration would do, and the runs so far',
    access: operator,
    query: z.object({ limit: paging.limit }),
    answers: { 200: listOf(MigrationRun.omit({ items: true })).extend({ plan: MigrationPlan }) },
  },
  startMigration: {
    method: 'POST',
    path: '/api/system/migrations',
    summary: 'Start a fleet migration, or answer its plan',
    access: operator,
    body: StartMigration,
    answers: { 200: MigrationPlan, 202: MigrationRun },
    errors: ['migration_running'],
    creates: 'plain',
  },
  getMigration: {
    method: 'GET',
    path: '/api/system/migrations/{id}',
    summary: 'Progress of one run, by company',
    access: operator,
    params,
    answers: { 200: MigrationRun },
  },
  stopMigration: {
    method: 'DELETE',
    path: '/api/system/migrations/{id}',
    summary: 'Stop a run after the companies it is working on',
    access: operator,
    params,
    answers: { 204: null },
  },
});

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
      q: z.string().max(200).optional().describe('Part of name, slug or e-mail, taken literally'),
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
    answers: { 200: Company },
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
    errors: ['company_unavailable'],
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
    query: z.object({ limit: paging.limit, cursor: paging.cursor }),
    answers: { 200: listOf(DatabaseLogLine) },
  },
  listCompanyOperations: {
    method: 'GET',
    path: '/api/companies/{id}/operations',
    summary: 'The journal: every operation with its steps, newest first',
    access: operator,
    params,
    query: z.object({ limit: paging.limit, cursor: paging.cursor }),
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
    errors: ['company_not_empty', 'confirmation_wrong'],
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
