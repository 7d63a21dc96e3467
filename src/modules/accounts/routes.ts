/** Binds the contract of accounts to its services. */

import { auditRowView, verdictView } from '../../kernel/audit/views.ts';
import { createCursors } from '../../kernel/cursors.ts';
import { forbidden } from '../../kernel/errors.ts';
import type { MemberCaller } from '../../kernel/handles.ts';
import { type BoundRoutes, bind, type CookieOut, type RequestInfo } from '../../kernel/module.ts';
import { permissions, presets, roleDefinition } from '../../kernel/roles.ts';
import { callerAnswer, invitationAnswer, operatorAnswer, userAnswer } from './answers.ts';
import { accountsContract, type LoginAnswer, type NewInvitationAnswer, type TokenAnswer } from './contract.ts';
import type { Services } from './index.ts';
import type { MadeInvitation } from './invitations.ts';
import type { Origin } from './session-store.ts';
import type { Pair } from './sessions.ts';
import type { SignedIn } from './sign-in.ts';
import { ticketSeconds } from './tickets.ts';

const cookieName = 'strongroom_refresh';
const pageSize = 50;

function originOf(request: RequestInfo): Origin {
  return {
    ip: request.ip,
    requestId: request.id,
    userAgent: request.header('user-agent'),
    client: request.header('x-strongroom-client') === 'web' ? 'web' : 'api',
  };
}

/** A request that brings the cookie must come from our own pages: another site's form would bring it too. */
function requireSameSite(request: RequestInfo): void {
  if (request.header('sec-fetch-site') === 'cross-site') {
    throw forbidden('This request came from another site.', 'cross_site');
  }
}

export function accountsRoutes(services: Services): BoundRoutes {
  const { kernel, parts, signIn, sessions, passwordService, invitations, users, operators, company } = services;
  const { config, clock } = kernel;
  const cursors = createCursors(kernel.secrets);
  const cookieLife = config.refreshTokenDays * 86_400;

  function tokensOf(pair: Pair, web: boolean): TokenAnswer {
    return {
      access_token: pair.accessToken,
      token_type: 'bearer',
      expires_in: parts.tokens.seconds,
      ...(web ? {} : { refresh_token: pair.refreshToken }),
    };
  }

  /** Sent back to signing in and out alone; under the prefix of the API that the client speaks. */
  const cookie = (value: string, maxAge: number, { path }: RequestInfo): CookieOut => ({
    name: cookieName,
    value,
    maxAge,
    path: path.startsWith('/api/v1/') ? '/api/v1/auth' : '/api/auth',
  });

  function cookiesOf(pair: Pair, web: boolean, request: RequestInfo): { cookies?: CookieOut[] } {
    return web ? { cookies: [cookie(pair.refreshToken, cookieLife, request)] } : {};
  }

  function signedInAnswer(made: SignedIn, request: RequestInfo) {
    const web = originOf(request).client === 'web';
    if (web && request.cookie(cookieName) !== undefined) requireSameSite(request);
    const body: LoginAnswer = {
      ...tokensOf(made, web),
      user: made.user,
      company: made.company,
      companies: [...made.companies],
    };
    return { body, ...cookiesOf(made, web, request) };
  }

  function newInvitation(made: MadeInvitation): NewInvitationAnswer {
    const setupUrl = parts.links.invitation(made.token);
    return { ...invitationAnswer(made.row, clock.now()), setup_url: setupUrl, token: made.token };
  }

  /** Names a list so that its cursors fit no other tenant, person, order or filter. */
  const listName = (caller: { sessionId?: string } & object, ...parts_: unknown[]) => {
    const who = caller as Partial<MemberCaller>;
    return JSON.stringify([who.tenant?.id ?? 'system', who.user?.id ?? '', ...parts_]);
  };

  return bind(accountsContract, {
    async login({ body, request }) {
      return { status: 200 as const, ...signedInAnswer(await signIn.login(body, originOf(request)), request) };
    },
    async token({ body, request }) {
      const { username, password, company: hint } = body;
      const made = await signIn.login({ username, password, company: hint }, originOf(request));
      const web = originOf(request).client === 'web';
      return { status: 200 as const, body: tokensOf(made, web), ...cookiesOf(made, web, request) };
    },
    async refresh({ body, request }) {
      const given = body?.refresh_token;
      const kept = request.cookie(cookieName);
      if (kept !== undefined) requireSameSite(request);
      const origin = originOf(request);
      const conflicting = given !== undefined && kept !== undefined && given !== kept;
      const pair = await sessions.refresh(conflicting ? '' : (given ?? kept ?? ''), origin);
      const web = origin.client === 'web' || given === undefined;
      return { status: 200 as const, body: tokensOf(pair, web), ...cookiesOf(pair, web, request) };
    },
    async logout({ caller, request }) {
      const kept = request.cookie(cookieName) !== undefined;
      if (kept) requireSameSite(request);
      await sessions.end(caller, caller.sessionId, originOf(request));
      return { status: 204 as const, ...(kept ? { cookies: [cookie('', 0, request)] } : {}) };
    },
    async switchCompany({ caller, body, request }) {
      const made = await sessions.switchTo(caller, body.company_id, body.password, originOf(request));
      return { status: 200 as const, ...signedInAnswer(made, request) };
    },
    async ticket({ caller, body }) {
      const { tenant, user, sessionId: sid } = caller;
      const claims = { sub: user.id, company_id: tenant.id, role: user.role, sid };
      const value = parts.tickets.issue(claims, body.path);
      return {
        status: 204 as const,
        cookies: [{ name: 'strongroom_ticket', value, maxAge: ticketSeconds, path: body.path }],
      };
    },
    async changePassword({ caller, body, request }) {
      await passwordService.change(caller, body.current_password, body.new_password, originOf(request));
      return { status: 204 as const };
    },
    async listSessions({ caller, query }) {
      const list = listName(caller, caller.sessionId, 'sessions');
      const before = cursors.read(list, query.cursor)?.[0];
      const page = await sessions.list(caller, {
        limit: query.limit ?? pageSize,
        before: before === undefined ? undefined : String(before),
        total: query.total,
      });
      const next = cursors.write(list, page.next === null ? null : [page.next]);
      return {
        status: 200 as const,
        body: { items: page.items, next_cursor: next, ...(page.total === undefined ? {} : { total: page.total }) },
      };
    },
    async endOtherSessions({ caller, request }) {
      await sessions.endOthers(caller, originOf(request));
      return { status: 204 as const };
    },
    async endSession({ caller, params, request }) {
      await sessions.end(caller, params.id, originOf(request));
      return { status: 204 as const };
    },
    async me({ caller }) {
      const companies = caller.kind === 'member' ? await signIn.companiesOf(caller.tenant, caller.user.id) : [];
      return { status: 200 as const, body: { ...callerAnswer(caller), companies } };
    },
    async register({ body, request }) {
      const { name, email, password, role } = body;
      const input = { name, email, password, role, companyId: body.company_id };
      return { status: 201 as const, ...signedInAnswer(await company.register(input, originOf(request)), request) };
    },
    async forgotPassword({ body, request }) {
      passwordService.forgot(body.username, body.company, originOf(request));
      return { status: 202 as const };
    },
    async resetPassword({ body, request }) {
      await passwordService.reset(body.token, body.password, originOf(request));
      return { status: 204 as const };
    },
    async setup({ body, request }) {
      return { status: 201 as const, ...signedInAnswer(await operators.setUp(body, originOf(request)), request) };
    },

    async invite({ caller, body, request }) {
      const person = { email: body.email, fullName: body.full_name, role: body.role };
      return { status: 201 as const, body: newInvitation(await invitations.invite(caller, person, originOf(request))) };
    },
    async listInvitations({ caller, query }) {
      const list = listName(caller, 'invitations', query.status);
      const before = cursors.read(list, query.cursor)?.[0];
      const page = await invitations.list(caller, {
        limit: query.limit ?? pageSize,
        status: query.status,
        before: before === undefined ? undefined : String(before),
        total: query.total === true,
      });
      return {
        status: 200 as const,
        body: {
          items: page.items.map((row) => invitationAnswer(row, clock.now())),
          next_cursor: cursors.write(list, page.next === null ? null : [page.next]),
          ...(page.total === undefined ? {} : { total: page.total }),
        },
      };
    },
    async cancelInvitation({ caller, params, request }) {
      await invitations.cancel(caller, params.id, originOf(request));
      return { status: 204 as const };
    },
    async resendInvitation({ caller, params, request }) {
      return {
        status: 200 as const,
        body: newInvitation(await invitations.resend(caller, params.id, originOf(request))),
      };
    },
    async getInvitation({ params, request }) {
      const { tenant, row } = await invitations.look(params.token, originOf(request));
      return {
        status: 200 as const,
        body: {
          company: { name: tenant.name },
          email: row.email,
          full_name: row.full_name,
          role: row.role,
          expires_at: row.expires_at,
        },
      };
    },
    async acceptInvitation({ body, request }) {
      return { status: 201 as const, ...signedInAnswer(await invitations.accept(body, originOf(request)), request) };
    },

    async listUsers({ caller, query }) {
      const sort = query.sort ?? 'created_at';
      const list = listName(caller, 'users', sort, query.q, query.role, query.is_active);
      const after = cursors.read(list, query.cursor);
      const page = await users.list(caller, {
        limit: query.limit ?? pageSize,
        sort,
        after: after === undefined ? undefined : [String(after[0]), String(after[1])],
        q: query.q,
        role: query.role,
        isActive: query.is_active,
        total: query.total === true,
      });
      return {
        status: 200 as const,
        body: {
          items: page.items.map(userAnswer),
          next_cursor: cursors.write(list, page.next),
          ...(page.total === undefined ? {} : { total: page.total }),
        },
      };
    },
    getUser: async ({ caller, params }) => ({
      status: 200 as const,
      body: userAnswer(await users.get(caller, params.id)),
    }),
    async updateUser({ caller, params, body, request }) {
      return { status: 200 as const, body: userAnswer(await users.update(caller, params.id, body, originOf(request))) };
    },
    async deactivateUser({ caller, params, request }) {
      await users.deactivate(caller, params.id, originOf(request));
      return { status: 204 as const };
    },
    async sendPasswordReset({ caller, params, request }) {
      const made = await passwordService.send(caller, params.id, originOf(request));
      const link =
        made.token === undefined ? {} : { token: made.token, reset_url: parts.links.passwordReset(made.token) };
      return { status: 202 as const, body: { sent: made.sent, expires_at: made.expiresAt, ...link } };
    },
    async listRoles({ caller }) {
      const grants: readonly string[] = roleDefinition(caller.tenant.preset, caller.user.role)?.grants ?? [];
      const items = Object.entries(presets[caller.tenant.preset]).map(([name, role]) => ({
        name,
        title: role.title,
        rank: role.rank,
        permissions: [...role.permissions],
        grants: [...role.grants],
        may_grant: grants.includes(name),
      }));
      return { status: 200 as const, body: { items, next_cursor: null } };
    },
    async listPermissions({ caller }) {
      const roles = Object.entries(presets[caller.tenant.preset]);
      const held: readonly string[] = roleDefinition(caller.tenant.preset, caller.user.role)?.permissions ?? [];
      const holders = (name: string) =>
        roles.filter(([, role]) => (role.permissions as readonly string[]).includes(name)).map(([role]) => role);
      const items = permissions
        .map((name) => ({ name, roles: holders(name), held: held.includes(name) }))
        .filter((one) => one.roles.length > 0);
      return { status: 200 as const, body: { items, next_cursor: null } };
    },

    getOwnCompany: async ({ caller }) => ({ status: 200 as const, body: await company.get(caller) }),
    async updateOwnCompany({ caller, body, request }) {
      return { status: 200 as const, body: await company.update(caller, body, originOf(request)) };
    },
    async listAudit({ caller, query }) {
      const { tenant } = caller;
      const list = listName(caller, 'audit');
      const before = cursors.read(list, query.cursor)?.[0];
      const page = await kernel.audit.list(tenant, {
        limit: query.limit ?? pageSize,
        total: query.total,
        ...(before === undefined ? {} : { before: Number(before) }),
      });
      const last = page.nextCursor === null ? undefined : page.items.at(-1)?.seq;
      const verdict = query.verify === true ? await kernel.audit.verify(tenant) : undefined;
      return {
        status: 200 as const,
        body: {
          items: page.items.map(auditRowView),
          next_cursor: cursors.write(list, last === undefined ? null : [last]),
          ...(page.total === undefined ? {} : { total: page.total }),
          ...(verdict === undefined
            ? {}
            : {
                verification: verdictView(verdict),
              }),
        },
      };
    },

    async listOperators({ caller, query }) {
      const list = listName(caller, 'operators');
      const after = cursors.read(list, query.cursor)?.[0];
      const page = await operators.list({
        limit: query.limit ?? pageSize,
        after: after === undefined ? undefined : String(after),
        total: query.total,
      });
      const next = cursors.write(list, page.next === null ? null : [page.next]);
      const total = page.total === undefined ? {} : { total: page.total };
      return { status: 200 as const, body: { items: page.items.map(operatorAnswer), next_cursor: next, ...total } };
    },
    async createOperator({ caller, body, request }) {
      const { full_name: fullName, ...rest } = body;
      const made = await operators.create({ ...rest, fullName }, caller.actor, originOf(request));
      return { status: 201 as const, body: operatorAnswer(made) };
    },
    async updateOperator({ caller, params, body, request }) {
      return {
        status: 200 as const,
        body: operatorAnswer(await operators.update(caller, params.id, body, originOf(request))),
      };
    },
    async deleteOperator({ caller, params, request }) {
      await operators.remove(caller, params.id, originOf(request));
      return { status: 204 as const };
    },
  });
}
