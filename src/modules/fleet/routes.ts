/** Binds the operators' contract to the services. No rules here, only the way in and out. */

import { auditRowView, verdictView } from '../../kernel/audit/views.ts';
import type { Cursors } from '../../kernel/cursors.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { bind, type RequestInfo } from '../../kernel/module.ts';
import type { TenantFilter } from '../../kernel/tenants/tenants.ts';
import type { Companies, Created } from './companies.ts';
import { type CompanyStatus, fleetContract } from './contract.ts';
import { testDatabase } from './database-test.ts';
import type { Invitation } from './ports.ts';
import type { System } from './system.ts';
import { companyView, logLines, operationView, planView, runSummary, runView } from './views.ts';

const defaultLimit = 50;
const defaultDays = 30;

interface Services {
  readonly kernel: Kernel;
  readonly companies: Companies;
  readonly system: System;
  readonly cursors: Cursors;
  readonly invitationUrl: (token: string) => string;
}

/** RFC 7240: preferences are separated by commas and compared without case. */
function prefersAsync(request: RequestInfo): boolean {
  const preferences = (request.header('prefer') ?? '').toLowerCase().split(',');
  return preferences.some((preference) => preference.split(';')[0]!.trim() === 'respond-async');
}

function accepted(made: Omit<Created, 'invitation'>) {
  return {
    id: made.record.id,
    slug: made.record.slug,
    operation_id: made.operationId,
    status: made.record.state as (typeof CompanyStatus.options)[number],
  };
}

/** Runs of migrations that are listed at most. */
const remembered = 1_000;

export function fleetRoutes(services: Services) {
  const { kernel, companies, system, cursors } = services;

  /** A page of a list that is short enough to be read at once; the position is the last key that was shown. */
  function pageOf<T>(
    all: readonly T[],
    list: string,
    keyOf: (item: T, index: number) => string,
    query: { limit?: number | undefined; cursor?: string | undefined },
  ) {
    const after = cursors.read(list, query.cursor)?.[0];
    const from = after === undefined ? 0 : all.findIndex((item, index) => keyOf(item, index) === after) + 1;
    const items = all.slice(from, from + (query.limit ?? defaultLimit));
    const more = from + items.length < all.length;
    const last = items.at(-1);
    const position = more && last !== undefined ? [keyOf(last, from + items.length - 1)] : null;
    return { items, next_cursor: cursors.write(list, position), total: all.length };
  }

  return bind(fleetContract, {
    async getSystemStatus({ caller }) {
      const trusted = caller.kind === 'operator' || caller.kind === 'host';
      return { status: 200 as const, body: trusted ? await system.status() : await system.health() };
    },
    async getSystemFigures({ query }) {
      return { status: 200 as const, body: await system.figures(query.days ?? defaultDays) };
    },
    async listConnections({ query }) {
      const items = kernel.connections.list().map((connection) => ({
        company_id: connection.tenantId,
        open: connection.open,
        leased: connection.leased,
        idle_since: connection.idleSince,
      }));
      // Their order of use changes all the time; pages need one that stays.
      const inOrder = items.toSorted((a, b) => (a.company_id < b.company_id ? -1 : 1));
      return { status: 200 as const, body: pageOf(inOrder, 'connections', (one) => one.company_id, query) };
    },
    async closeConnections() {
      await system.closeConnections();
      return { status: 204 as const };
    },
    async closeCompanyConnections({ params }) {
      await system.closeConnections(params.company_id);
      return { status: 204 as const };
    },
    async listSystemAudit({ query }) {
      const before = cursors.read('audit', query.cursor)?.[0];
      const page = await kernel.audit.listFleet({
        limit: query.limit ?? defaultLimit,
        total: query.total,
        ...(before === undefined ? {} : { before: Number(before) }),
      });
      const last = page.items.at(-1);
      const position = page.nextCursor === null || last === undefined ? null : [String(last.seq)];
      const verification = query.verify === true ? verdictView(await kernel.audit.verifyFleet()) : undefined;
      return {
        status: 200 as const,
        body: {
          items: page.items.map(auditRowView),
          next_cursor: cursors.write('audit', position),
          ...(page.total === undefined ? {} : { total: page.total }),
          ...(verification === undefined ? {} : { verification }),
        },
      };
    },
    async listMigrations({ query }) {
      const [plan, runs] = await Promise.all([system.plan(), system.migrations(remembered)]);
      const page = pageOf(runs, 'migrations', (run) => run.id, query);
      return { status: 200 as const, body: { plan: planView(plan), ...page, items: page.items.map(runSummary) } };
    },
    async startMigration({ body, caller }) {
      if (body.dry_run === true) return { status: 200 as const, body: planView(await system.plan(body.only)) };
      return { status: 202 as const, body: runView(await system.startMigration(body, caller.actor)) };
    },
    async getMigration({ params }) {
      return { status: 200 as const, body: runView(await system.migration(params.id)) };
    },
    async stopMigration({ params }) {
      await system.stopMigration(params.id);
      return { status: 204 as const };
    },

    async createCompany({ body, caller, request }) {
      const begin = prefersAsync(request);
      const made = await (begin ? companies.begin(body, caller.actor) : companies.create(body, caller.actor));
      const invitation = made.invitation === undefined ? {} : { invitation: made.invitation };
      const location = { location: `/api/companies/${made.record.id}` };
      if (begin || made.record.state !== 'active') {
        const headers = begin ? { ...location, 'preference-applied': 'respond-async' } : location;
        return { status: 202 as const, headers, body: { ...accepted(made), ...invitation } };
      }
      return { status: 201 as const, headers: location, body: { ...companyView(made.record), ...invitation } };
    },
    async listCompanies({ query }) {
      const sort = query.sort ?? '-created_at';
      const filter: TenantFilter = {
        ...(query.q === undefined || query.q === '' ? {} : { q: query.q }),
        ...(query.status === undefined ? {} : { state: query.status }),
        ...(query.placement === undefined ? {} : { placement: query.placement }),
      };
      const list = `companies ${sort} ${JSON.stringify(filter)}`;
      const page = await companies.list({
        limit: query.limit ?? defaultLimit,
        filter,
        sort,
        after: cursors.read(list, query.cursor)?.map(String),
        total: query.total !== false,
      });
      return {
        status: 200 as const,
        body: {
          items: page.items.map(companyView),
          next_cursor: cursors.write(list, page.next),
          ...(page.total === undefined ? {} : { total: page.total }),
        },
      };
    },
    async getCompany({ params }) {
      const record = await companies.get(params.id);
      return { status: 200 as const, body: { ...companyView(record), node: await companies.node(record) } };
    },
    async updateCompany({ params, body, caller }) {
      return { status: 200 as const, body: companyView(await companies.update(params.id, body, caller.actor)) };
    },
    async getCompanyStats({ params }) {
      return { status: 200 as const, body: await companies.stats(params.id) };
    },
    async getCompanyFigures({ params, query }) {
      return { status: 200 as const, body: await companies.figures(params.id, query.days ?? defaultDays) };
    },
    async testCompanyDatabase({ params }) {
      return { status: 200 as const, body: await testDatabase(kernel, await companies.get(params.id)) };
    },
    async listCompanyDatabaseLogs({ params, query }) {
      const lines = logLines(await companies.operations(params.id));
      const page = pageOf(lines, `logs ${params.id}`, (line) => `${line.operation_id} ${line.step}`, query);
      return { status: 200 as const, body: page };
    },
    async listCompanyOperations({ params, query }) {
      const operations = await companies.operations(params.id);
      const page = pageOf(operations, `operations ${params.id}`, (operation) => operation.id, query);
      return { status: 200 as const, body: { ...page, items: page.items.map(operationView) } };
    },
    async suspendCompany({ params, caller }) {
      return { status: 200 as const, body: companyView(await companies.suspend(params.id, caller.actor)) };
    },
    async resumeCompany({ params, caller }) {
      return { status: 200 as const, body: companyView(await companies.resume(params.id, caller.actor)) };
    },
    async moveCompanyNode({ params, body, caller }) {
      const { record, node } = await companies.moveNode(params.id, body.node, caller.actor);
      const { id, slug } = record;
      if (node === null) return { status: 202 as const, body: { id, slug, node: body.node } };
      return { status: 200 as const, body: { id, slug, node } };
    },
    async inviteAdmin({ params, body, caller }) {
      const invitation = await companies.inviteAdmin(params.id, body, caller.actor);
      return { status: 201 as const, body: invitationView(invitation, services.invitationUrl) };
    },
    async deleteCompany({ params, query, caller }) {
      const options = {
        purge: query.purge === 'now',
        ...(query.confirm === undefined ? {} : { confirm: query.confirm }),
      };
      const deleted = await companies.delete(params.id, options, caller.actor);
      if (deleted.done) return { status: 204 as const };
      return { status: 202 as const, body: { ...accepted(deleted), status: 'deleting' as const } };
    },
    async restoreCompany({ params, caller }) {
      return { status: 200 as const, body: companyView(await companies.restore(params.id, caller.actor)) };
    },
  });
}

function invitationView(invitation: Invitation, urlOf: (token: string) => string) {
  return {
    id: invitation.id,
    email: invitation.email,
    full_name: invitation.fullName,
    role: invitation.role,
    status: invitation.status,
    expires_at: invitation.expiresAt,
    setup_url: urlOf(invitation.token),
    token: invitation.token,
  };
}
