/**
 * Attempts on other companies, as audit records them: every company id or slug other than the own in path, query,
 * header or body, and every well-formed id that was answered 404. Hints never change the tenant; they are only seen.
 */
import type { IncomingMessage } from 'node:http';
import type { Audit } from '../kernel/audit/audit.ts';
import type { RouteSpec } from '../kernel/contract.ts';
import { StrongroomError } from '../kernel/errors.ts';
import type { Caller, MemberCaller } from '../kernel/handles.ts';
import type { RequestSource } from './access.ts';

const companyIds = /comp_[0-7][0-9a-hjkmnp-tv-z]{25}/g;
const anyId = /^[a-z]{3,5}_[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const companyName = /^(?:x-)?(?:strongroom-)?(?:tenant|company|organi[sz]ation)(?:[_-]?(?:id|slug))?$/i;
const companyPath = /^\/api\/(?:v1\/)?companies\/([^/?]+)/;
const maxTargets = 20;

export interface Observed {
  readonly spec: RouteSpec;
  readonly request: IncomingMessage;
  readonly params: unknown;
  readonly body: unknown;
}

/** Reports what `caller` reached for. `error` is what the handler threw, if it did. Never throws, never waits. */
export function reportAttempts(audit: Audit, caller: Caller, observed: Observed, error: unknown, from: RequestSource) {
  if (caller.kind !== 'member') return;
  const source = { ip: from.ip, requestId: from.requestId };
  const { actor, tenant } = caller;
  for (const target of foreignCompanies(caller, observed, error)) {
    audit.attempt(tenant, { action: 'isolation.foreign_company', actor, target, outcome: 'refused', source });
  }
  if (!(error instanceof StrongroomError) || error.kind !== 'not_found') return;
  for (const target of idsOf(observed)) {
    if (target.startsWith('comp_')) continue;
    audit.attempt(tenant, { action: 'isolation.unknown_id', actor, target, outcome: 'refused', source });
  }
}

function foreignCompanies(caller: MemberCaller, observed: Observed, error: unknown): Set<string> {
  const found = new Set<string>();
  const { id, slug } = caller.tenant;
  const see = (value: string) => {
    if (value !== id && value !== slug && value !== '' && found.size < maxTargets) found.add(value.slice(0, 200));
  };
  const url = observed.request.url ?? '';
  if (url.includes('comp_')) for (const [match] of url.matchAll(companyIds)) see(match);
  if (url.includes('companies/')) {
    const segment = companyPath.exec(url)?.[1];
    if (segment !== undefined) see(segment);
  }
  if (url.includes('?')) {
    for (const [name, value] of new URLSearchParams(url.slice(url.indexOf('?'))))
      if (companyName.test(name)) see(value);
  }
  const { headers } = observed.request;
  for (const name in headers) if (name.startsWith('x-') && companyName.test(name)) see(String(headers[name]));
  // Where the body names a company by contract (switching), only what was refused is an attempt.
  if (error !== undefined || !namesCompany(observed.spec)) seeInBody(observed.body, see);
  return found;
}

function namesCompany(spec: RouteSpec): boolean {
  const shape = (spec.body?._zod.def as { shape?: object } | undefined)?.shape;
  return shape !== undefined && Object.keys(shape).some((name) => companyName.test(name));
}

function seeInBody(body: unknown, see: (value: string) => void): void {
  walk(body, (value) => {
    if (value.includes('comp_')) for (const [match] of value.matchAll(companyIds)) see(match);
  });
  // Slugs by the name of their field, at the top only: below it are words of people's own (metadata).
  if (body === null || typeof body !== 'object') return;
  for (const [name, value] of Object.entries(body)) if (typeof value === 'string' && companyName.test(name)) see(value);
}

function idsOf(observed: Observed): Set<string> {
  const ids = new Set<string>();
  const collect = (value: string) => {
    if (ids.size < maxTargets && anyId.test(value)) ids.add(value);
  };
  walk(observed.params, collect);
  walk(observed.body, collect);
  return ids;
}

/** Every text in a parsed body. Bodies are bounded in depth and members. */
function walk(value: unknown, see: (value: string) => void): void {
  if (typeof value === 'string') see(value);
  else if (value !== null && typeof value === 'object') for (const member of Object.values(value)) walk(member, see);
}
