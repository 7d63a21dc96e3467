/** The state of the whole installation, for operators (and one word of it for everybody). Browser-safe. */
import { z } from 'zod';
import {
  AuditRow,
  AuditVerification,
  anyone,
  contract,
  IdParam,
  listOf,
  operator,
  paging,
  queryFlag,
  Time,
} from '../../kernel/contract.ts';

export const PlacementName = z.enum(['sqlite', 'schema', 'database', 'neon']);

export const SystemStatus = z.object({
  status: z.enum(['ok', 'degraded']),
  version: z.string().optional(),
  companies: z.record(z.string(), z.number().int()).optional().describe('Number of companies by status'),
  placements: z.record(z.string(), z.number().int()).optional().describe('Number of companies by placement'),
  connections: z.object({ open: z.number().int(), budget: z.number().int(), waiting: z.number().int() }).optional(),
  migrations: z.object({ head: z.number().int(), behind: z.number().int(), failed: z.number().int() }).optional(),
  storage: z.object({ kind: z.enum(['disk', 's3']), ok: z.boolean(), reason: z.string().optional() }).optional(),
  uptime_s: z.number().int().optional(),
  offered: z
    .object({
      default: PlacementName.describe('Where a company goes that asks for none'),
      placements: z.array(
        z.object({
          placement: PlacementName,
          regions: z.array(z.string()).describe('Of its servers; empty where a region makes no difference'),
        }),
      ),
    })
    .optional()
    .describe('Where this server can place a new company'),
});

const Count = z.number().int();
/** A day in UTC: `2026-11-21`. */
const Day = z.string().describe('Day in UTC');

export const FleetFigures = z.object({
  companies: Count.describe('Companies that were ever counted; the sums are of these'),
  documents: Count,
  bytes: Count.describe('Logical bytes of documents'),
  database_bytes: Count,
  days: z
    .array(z.object({ day: Day, documents: Count.describe('Documents made on that day') }))
    .describe('Every day of the span, the oldest first'),
  largest: z
    .array(
      z.object({
        company_id: z.string(),
        name: z.string(),
        documents: Count,
        bytes: Count,
        database_bytes: Count,
        counted_at: Time,
      }),
    )
    .describe('The ten companies with most bytes'),
});
export type FleetFigures = z.output<typeof FleetFigures>;

export const CompanyFigures = z.object({
  days: z
    .array(
      z.object({
        day: Day,
        added: Count.describe('Documents made on that day'),
        documents: Count.nullable().describe('As last counted on that day; null where it was counted afterwards'),
        bytes: Count.nullable(),
        database_bytes: Count.nullable(),
      }),
    )
    .describe('Days on which documents changed, the oldest first'),
});
export type CompanyFigures = z.output<typeof CompanyFigures>;

/** A span that ends today. */
export const span = {
  days: z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/, 'a whole number from 1 to 366')
    .transform(Number)
    .pipe(z.number().max(366, 'a whole number from 1 to 366'))
    .optional()
    .describe('So many days, today among them; 30 where it is left out'),
};

export const Connection = z.object({
  company_id: z.string(),
  open: z.number().int(),
  leased: z.number().int(),
  idle_since: Time.nullable(),
});

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
  skipped: z.number().int().describe('Not begun when the run ended, or gone'),
  reason: z.string().nullable().describe('Why it ended before every company had its turn'),
  items: z.array(
    z.object({
      company_id: z.string(),
      slug: z.string(),
      placement: PlacementName.nullable(),
      from_version: z.number().int(),
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
  canary: whole(1_000).optional().describe('So many first, of every placement; the rest only when they succeed'),
  max_failures: z.number().int().min(0).max(1_000_000).optional().describe('More failures end the run'),
  max_failure_percent: z
    .number()
    .min(0)
    .max(100)
    .optional()
    .describe('The same as a share of the companies of the run; where both are given the smaller one counts'),
  dry_run: z.boolean().optional().describe('Answers the plan and changes nothing'),
});

const params = z.object({ id: IdParam });

export const systemRoutes = contract({
  getSystemStatus: {
    method: 'GET',
    path: '/api/system/status',
    summary: 'Whether the installation works',
    description: 'One word for everybody; versions, counts and budgets for operators alone.',
    access: anyone,
    answers: { 200: SystemStatus },
  },
  getSystemFigures: {
    method: 'GET',
    path: '/api/system/figures',
    summary: 'Documents and bytes of all companies, by day and by company',
    description: 'As companies were last counted: at most a minute after their documents changed. Opens none of them.',
    access: operator,
    query: z.object(span),
    answers: { 200: FleetFigures },
  },
  listConnections: {
    method: 'GET',
    path: '/api/system/connections',
    summary: 'Open connections to company databases',
    access: operator,
    query: z.object(paging),
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
    query: z.object({ ...paging, verify: queryFlag.optional() }),
    answers: { 200: listOf(AuditRow).extend({ verification: AuditVerification.optional() }) },
  },
  listMigrations: {
    method: 'GET',
    path: '/api/system/migrations',
    summary: 'What a fleet migration would do, and the runs so far',
    access: operator,
    query: z.object(paging),
    answers: { 200: listOf(MigrationRun.omit({ items: true })).extend({ plan: MigrationPlan }) },
  },
  startMigration: {
    method: 'POST',
    path: '/api/system/migrations',
    summary: 'Start a fleet migration, or answer its plan',
    access: operator,
    // Without a body: everything that is behind.
    body: StartMigration.default({}),
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
