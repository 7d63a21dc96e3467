/** The own company as its administrators see and set it, open registration, and the import of people by the host. */
import { conflict, forbidden, invalidField } from '../../kernel/errors.ts';
import type { Actor, MemberCaller, Tenant } from '../../kernel/handles.ts';
import { isId } from '../../kernel/ids.ts';
import { lowestRole, type Role, roleDefinition } from '../../kernel/roles.ts';
import { EmailText, FullNameText, UsernameText } from '../../kernel/shapes.ts';
import type { OwnCompany } from './contract.ts';
import type { Finder } from './finder.ts';
import { makePerson, requireFreeNames } from './new-person.ts';
import { createTurns, type Parts, sourceOf } from './parts.ts';
import { requireGoodPassword } from './password-rules.ts';
import { requireImportableHash } from './passwords.ts';
import { activity, userByName } from './repository.ts';
import type { Origin } from './session-store.ts';
import type { SignedIn, SignIn } from './sign-in.ts';

/** Counts of a company's documents; set by the documents module, which stands to the right of this one. */
export type UsageOf = (tenant: Tenant) => Promise<{ documents: number; files: number; bytes: number }>;

export interface Registration {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly companyId: string;
  readonly role?: string | undefined;
}

/** A person to import; `passwordHash` is bcrypt or argon2 in its usual text form. */
export interface ImportedPerson {
  readonly email: string;
  readonly fullName: string;
  readonly role: string;
  readonly username?: string | undefined;
  readonly passwordHash?: string | undefined;
}

export interface OwnCompanies {
  get(caller: MemberCaller): Promise<OwnCompany>;
  update(
    caller: MemberCaller,
    change: { name?: string | undefined; registration?: 'open' | 'closed' | undefined },
    origin: Origin,
  ): Promise<OwnCompany>;
  register(input: Registration, origin: Origin): Promise<SignedIn>;
  importPerson(tenant: Tenant, person: ImportedPerson, actor: Actor): Promise<{ id: string; created: boolean }>;
  usage: UsageOf | undefined;
}

export function createOwnCompanies(parts: Parts, finder: Finder, signIn: SignIn): OwnCompanies {
  const { kernel, passwords } = parts;
  const { audit, tenants } = kernel;
  const inTurn = createTurns();

  async function view(tenant: Tenant): Promise<OwnCompany> {
    const record = await tenants.get(tenant.id);
    const [people, usage] = await Promise.all([activity(tenant.db.read), own.usage?.(tenant)]);
    return {
      id: tenant.id,
      name: record?.name ?? tenant.name,
      slug: tenant.slug,
      email: record?.email ?? '',
      roles: tenant.preset,
      registration: record?.registration ?? tenant.registration,
      quota_bytes: record?.quotaBytes ?? tenant.quotaBytes,
      usage: {
        users: people.users,
        documents: usage?.documents ?? 0,
        files: usage?.files ?? 0,
        bytes: usage?.bytes ?? 0,
      },
      created_at: record?.createdAt ?? '',
    };
  }

  async function registerInTurn(tenant: Tenant, input: Registration, origin: Origin): Promise<SignedIn> {
    const role = lowestRole[tenant.preset];
    if (input.role !== undefined && input.role !== role) {
      throw invalidField('role', `Registration gives the role "${role}" alone.`, 'role_not_open');
    }
    requireGoodPassword(input.password, {
      email: input.email,
      fullName: input.name,
      companyName: tenant.name,
      companySlug: tenant.slug,
    });
    await requireFreeNames(tenant.db.read, { email: input.email, username: null });
    const person = {
      email: input.email,
      username: null,
      fullName: input.name,
      role,
      passwordHash: await passwords.hash(input.password),
    };
    const made = await makePerson(parts, tenant, person, () => ({ kind: 'anonymous' }), {
      async before(tx) {
        // An address with an open invitation joins by it, with the role that was meant.
        const invited = await tx
          .selectFrom('invitations')
          .select('id')
          .where('email', '=', input.email)
          .where('status', '=', 'pending')
          .where('expires_at', '>', kernel.clock.iso())
          .executeTakeFirst();
        if (invited !== undefined) throw conflict('already_user', 'This address is known to the company already.');
      },
      async within(tx, user) {
        const session = await signIn.begin(tx, tenant, user, origin, 'registration');
        await audit.record(tx, tenant, {
          action: 'user.registered',
          actor: { kind: 'user', id: user.id, role: user.role, sessionId: session.sessionId },
          target: user.id,
          outcome: 'success',
          source: sourceOf(origin),
        });
        return { user, session };
      },
    });
    return signIn.finish(tenant, made.user, made.session);
  }

  function checkedImport(tenant: Tenant, person: ImportedPerson) {
    const parse = <T>(
      shape: { safeParse(value: unknown): { success: boolean; data?: T } },
      path: string,
      value: unknown,
    ) => {
      const result = shape.safeParse(value);
      if (!result.success || result.data === undefined) throw invalidField(path, 'is not usable');
      return result.data;
    };
    if (roleDefinition(tenant.preset, person.role) === undefined) {
      throw invalidField('role', 'This company has no such role.');
    }
    return {
      email: parse<string>(EmailText, 'email', person.email),
      fullName: parse<string>(FullNameText, 'full_name', person.fullName),
      username: person.username === undefined ? null : parse<string>(UsernameText, 'username', person.username),
      role: person.role as Role,
      passwordHash: person.passwordHash === undefined ? null : requireImportableHash(person.passwordHash),
    };
  }

  const own: OwnCompanies = {
    usage: undefined,
    get: (caller) => view(caller.tenant),

    async update(caller, change, origin) {
      const { tenant, actor } = caller;
      const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      if (Object.keys(given).length > 0) {
        await tenants.update(tenant.id, given, actor);
        await audit.note(tenant, {
          action: 'company.changed',
          actor,
          target: tenant.id,
          outcome: 'success',
          details: change.registration === undefined ? {} : { registration: change.registration },
          source: sourceOf(origin),
        });
      }
      return view(tenant);
    },

    async register(input, origin) {
      parts.guard.beginToken(origin.ip);
      parts.guard.wrongToken(origin.ip);
      const tenant = isId('company', input.companyId) ? await finder.openCompany(input.companyId) : undefined;
      if (tenant?.registration !== 'open') {
        throw forbidden('This company has not opened registration.', 'registration_closed');
      }
      return inTurn(`${tenant.id} ${input.email}`, () => registerInTurn(tenant, input, origin));
    },

    async importPerson(tenant, person, actor) {
      const checked = checkedImport(tenant, person);
      const there = await userByName(tenant.db.read, checked.email);
      if (there !== undefined) {
        const same = there.role === checked.role && there.full_name === checked.fullName;
        if (same && (checked.username === null || checked.username === there.username)) {
          return { id: there.id, created: false };
        }
        throw conflict('already_user', 'This address belongs to another user of the company already.');
      }
      return makePerson(parts, tenant, checked, () => actor, {
        async within(tx, user) {
          await audit.record(tx, tenant, {
            action: 'user.imported',
            actor,
            target: user.id,
            outcome: 'success',
            details: { role: user.role },
          });
          return { id: user.id, created: true };
        },
      });
    },
  };
  return own;
}
