/**
 * Accounts: operators, people, roles, sessions and invitations. The front door of the module: what the server, the
 * command line and later modules may use of it.
 */
import { day } from '../../kernel/clock.ts';
import type { Actor, Tenant } from '../../kernel/handles.ts';
import type { TenantId } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { createMailer } from '../../kernel/mail.ts';
import type { Module } from '../../kernel/module.ts';
import { createAccessTokens } from './access-tokens.ts';
import { type Authentication, createAuthenticate } from './authenticate.ts';
import { createOwnCompanies, type ImportedPerson, type OwnCompanies, type UsageOf } from './company.ts';
import { createDirectory } from './directory.ts';
import { createFinder } from './finder.ts';
import { createGuard } from './guard.ts';
import { createInvitations, type Invitations } from './invitations.ts';
import { createLinks } from './links.ts';
import { createPost } from './mail.ts';
import { accountsMigrations } from './migrations/index.ts';
import { newSecret, tokenOf } from './opaque-tokens.ts';
import { createOperators, type Operators } from './operators.ts';
import { createBackground, type Parts } from './parts.ts';
import { createPasswordService, type PasswordService } from './password-service.ts';
import { createPasswords } from './passwords.ts';
import { activity, type UserRow, userById } from './repository.ts';
import { accountsRoutes } from './routes.ts';
import { createSessionStore, sessionTx } from './session-store.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSignIn, type SignIn } from './sign-in.ts';
import { createTickets } from './tickets.ts';
import { createUsers, type Users } from './users.ts';

export { rankOf, visibleRoles } from './ranks.ts';
export type { ImportedPerson, UserRow };
export { accountsMigrations };

/** The services behind the routes; used by the module's own routes and tests. */
export interface Services {
  readonly kernel: Kernel;
  readonly parts: Parts;
  readonly signIn: SignIn;
  readonly sessions: Sessions;
  readonly passwordService: PasswordService;
  readonly invitations: Invitations;
  readonly users: Users;
  readonly operators: Operators;
  readonly company: OwnCompanies;
}

/** An invitation with its one-time link, as operators get it. */
export interface AdminInvitation {
  readonly id: string;
  readonly email: string;
  readonly fullName: string;
  readonly role: string;
  readonly status: string;
  readonly expiresAt: string;
  readonly token: string;
}

export interface Accounts extends Module, Authentication {
  readonly services: Services;
  /** A new one-time token while no operator exists, to be printed once; undefined afterwards. */
  ensureSetupToken(): Promise<string | undefined>;
  setupUrl(token: string): string;
  /** Told by the server once it listens: what links begin with where no public address is configured. */
  listening(base: string): void;
  createOperator(
    input: { username: string; email: string; password: string },
    actor: Actor,
  ): Promise<{ id: string; username: string; email: string }>;

  /** The random part of an invitation's token, made before the company has an id. */
  newInvitationSecret(): string;
  invitationToken(tenantId: TenantId, secret: string): string;
  invitationUrl(token: string): string;
  inviteAdmin(tenant: Tenant, person: { email: string; full_name: string }, actor: Actor): Promise<AdminInvitation>;
  /** Adds one person, or says that exactly this person is there. @throws invalid, conflict for a row that cannot be */
  importPerson(tenant: Tenant, person: ImportedPerson, actor: Actor): Promise<{ id: string; created: boolean }>;
  importUsers(
    tenant: Tenant,
    people: readonly ImportedPerson[],
    actor: Actor,
  ): Promise<readonly { readonly id?: string; readonly created: boolean; readonly error?: unknown }[]>;

  userById(tenant: Pick<Tenant, 'db'>, id: string): Promise<UserRow | undefined>;
  /** People who are active, and when one was last seen. */
  activity(tenant: Pick<Tenant, 'db'>): Promise<{ users: number; lastActivityAt: string | null }>;
  /** Every session of every person of a company ends. */
  endAllSessions(tenant: Tenant): Promise<void>;
  /** Set by the documents module: what its documents take. */
  usage: UsageOf | undefined;
  readonly hashQueue: { readonly running: number; readonly waiting: number };
  /** Resolves when nothing runs behind an answer any more. */
  settled(): Promise<void>;
}

interface FirstInvitation {
  readonly email: string;
  readonly full_name: string;
  /** The random part of the token. */
  readonly token: string;
}

function createParts(kernel: Kernel): Parts {
  const { config, clock, secrets, control, log } = kernel;
  return {
    kernel,
    passwords: createPasswords({ concurrency: config.hashConcurrency }),
    tokens: createAccessTokens({ keys: secrets.signingKeys, seconds: config.accessTokenSeconds, clock }),
    tickets: createTickets(secrets, clock),
    directory: createDirectory({ control, secrets, clock }),
    sessions: createSessionStore(secrets, config.refreshTokenDays),
    guard: createGuard(clock, config, kernel.attempts),
    links: createLinks(config),
    post: createPost(createMailer({ config, log }), kernel.jobs),
    background: createBackground(log),
  };
}

export function createAccounts(kernel: Kernel): Accounts {
  const parts = createParts(kernel);
  const finder = createFinder(parts);
  const signIn = createSignIn(parts, finder);
  const users = createUsers(parts);
  const services: Services = {
    kernel,
    parts,
    signIn,
    sessions: createSessions(parts, finder, signIn),
    passwordService: createPasswordService(parts, finder, users),
    invitations: createInvitations(parts, signIn),
    users,
    operators: createOperators(parts, signIn),
    company: createOwnCompanies(parts, finder, signIn),
  };
  const { invitations, operators, company } = services;

  const module: Module = {
    name: 'accounts',
    routes: accountsRoutes(services),
    controlMigrations: accountsMigrations.controlMigrations,
    tenantMigrations: accountsMigrations.tenantMigrations,
    provisioning: [
      {
        name: 'first-invitation',
        async run(tenant, input) {
          if (input === undefined || input === null) return;
          const { email, full_name: fullName, token } = input as FirstInvitation;
          await invitations.ensureFirst(tenant, { email, fullName, secret: token });
        },
        undo: (tenantId) => parts.directory.removeTenant(tenantId),
      },
    ],
    jobs: parts.post.jobs,
  };

  return {
    ...module,
    services,
    ...createAuthenticate(parts),
    ensureSetupToken: () => operators.ensureSetupToken(),
    setupUrl: (token) => parts.links.setup(token),
    listening: (base) => parts.links.listening(base),
    async createOperator(input, actor) {
      const { id, username, email } = await operators.create(input, actor);
      return { id, username, email };
    },
    newInvitationSecret: newSecret,
    invitationToken: tokenOf,
    invitationUrl: (token) => parts.links.invitation(token),
    async inviteAdmin(tenant, person, actor) {
      const input = { email: person.email, fullName: person.full_name };
      const { row, token } = await invitations.inviteAdmin(tenant, input, actor);
      const { id, email, full_name: fullName, role, status, expires_at: expiresAt } = row;
      return { id, email, fullName, role, status, expiresAt, token };
    },
    importPerson: (tenant, person, actor) => company.importPerson(tenant, person, actor),
    async importUsers(tenant, people, actor) {
      const results: { id?: string; created: boolean; error?: unknown }[] = [];
      for (const person of people) {
        try {
          results.push(await company.importPerson(tenant, person, actor));
        } catch (error) {
          results.push({ created: false, error });
        }
      }
      return results;
    },
    userById: (tenant, id) => userById(tenant.db.read, id),
    activity: (tenant) => activity(tenant.db.read),
    async endAllSessions(tenant) {
      const now = kernel.clock.now();
      await tenant.db.transaction((tx) => parts.sessions.endEverybodys(sessionTx(tx), 'ended_by_operator', now));
    },
    get usage() {
      return company.usage;
    },
    set usage(usage) {
      company.usage = usage;
    },
    get hashQueue() {
      return { running: parts.passwords.running, waiting: parts.passwords.waiting };
    },
    settled: () => parts.background.settled(),
  };
}

/** Life of an invitation in milliseconds, for who answers its end before it is stored. */
export const invitationLife = (kernel: Pick<Kernel, 'config'>): number => kernel.config.invitationDays * day;
