/**
 * What only a person with shell access to the data folder may ask, through the folder's own socket: the command line.
 * Never served over the network and not in the OpenAPI document. Browser-safe.
 */
import { z } from 'zod';
import { AuditVerification, type Contract, contract, host, type RouteSpec } from '../../kernel/contract.ts';
import { EmailText, PasswordText, UsernameText } from '../../kernel/shapes.ts';
import { fleetContract } from './contract.ts';

export const NewOperator = z.strictObject({ username: UsernameText, email: EmailText, password: PasswordText });
export const OperatorCreated = z.object({ id: z.string(), username: z.string(), email: z.string() });

export const Finding = z.object({
  subject: z.string(),
  problem: z.string(),
  repair: z.string().nullable(),
  repaired: z.boolean(),
});
export type Finding = z.output<typeof Finding>;

/** One person to import. Fields are checked row by row, so that one bad row does not lose the others. */
export const ImportRow = z.record(z.string(), z.unknown());
export const ImportResult = z.object({
  row: z.number().int().describe('Counted from 1'),
  email: z.string().nullable(),
  status: z.enum(['created', 'unchanged', 'failed']),
  id: z.string().nullable(),
  reason: z.string().nullable(),
});
export type ImportResult = z.output<typeof ImportResult>;

const Trail = AuditVerification.extend({ subject: z.string().describe('`fleet`, or the slug of a company') });
export type Trail = z.output<typeof Trail>;

export const hostContract = contract({
  hostCreateOperator: {
    method: 'POST',
    path: '/api/host/operators',
    summary: 'Create an operator; closes the set-up link for ever',
    access: host,
    body: NewOperator,
    answers: { 201: OperatorCreated },
    errors: ['username_taken'],
  },
  hostDoctor: {
    method: 'POST',
    path: '/api/host/doctor',
    summary: 'Look for what a crash left, orphans, drift and missing objects; mend what is safe to mend',
    access: host,
    body: z.strictObject({
      repair: z.boolean().default(false),
      deep: z.boolean().default(false),
      only: z.array(z.string()).optional(),
      abandon: z.string().optional().describe('Id or slug of a company whose creation is given up and undone'),
    }),
    answers: { 200: z.object({ findings: z.array(Finding) }) },
  },
  hostImportUsers: {
    method: 'POST',
    path: '/api/host/users/import',
    summary: 'Import people into a company, with the password hashes they had',
    access: host,
    body: z.strictObject({ company: z.string(), rows: z.array(ImportRow).max(1_000) }),
    answers: { 200: z.object({ results: z.array(ImportResult) }) },
  },
  hostVerifyAudit: {
    method: 'POST',
    path: '/api/host/audit/verify',
    summary: 'Check the chain of one company’s audit trail, or of all and the fleet’s',
    access: host,
    body: z.strictObject({ company: z.string().optional() }),
    answers: { 200: z.object({ ok: z.boolean(), trails: z.array(Trail) }) },
  },
  hostReset: {
    method: 'POST',
    path: '/api/host/reset',
    summary: 'Purge every company; operators stay (development only)',
    access: host,
    body: z.strictObject({ confirm: z.literal('everything') }),
    answers: { 200: z.object({ companies: z.number().int() }) },
    errors: ['not_development'],
  },
});

/**
 * An operators' route as the command line calls it: over the socket, where no operator has to sign in, under
 * `/api/host/…`. Same parameters, same answers.
 */
export function overHost<R extends RouteSpec>(route: R): R {
  const { creates: _, ...rest } = route;
  return { ...rest, path: route.path.replace(/^\/api\//, '/api/host/'), access: host } as unknown as R;
}

/** Every operators' route of the fleet once more for the socket. */
export const hostTwinContract: Contract = Object.fromEntries(
  Object.entries(fleetContract)
    .filter(([name, route]) => route.access.who === 'operator' || name === 'getSystemStatus')
    .map(([name, route]) => [hostTwinName(name), overHost(route)]),
);

/** `listCompanies` is `hostListCompanies` over the socket. */
export function hostTwinName(name: string): string {
  return `host${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
