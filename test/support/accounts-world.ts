/** A kernel with accounts and two companies, for the tests of that module. */
import { randomBytes } from 'node:crypto';
import { shiftedClock } from '../../src/kernel/clock.ts';
import type { MemberCaller, Tenant } from '../../src/kernel/handles.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import type { Preset, Role } from '../../src/kernel/roles.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { type Accounts, createAccounts } from '../../src/modules/accounts/index.ts';
import type { Origin } from '../../src/modules/accounts/session-store.ts';
import type { SignedIn } from '../../src/modules/accounts/sign-in.ts';
import { openTestKernel, testOperator } from './kernel.ts';

/** Made anew in every run: nothing shaped like a password stands in the repository. */
export const password = randomBytes(15).toString('base64url');
export const origin: Origin = { ip: '192.0.2.1', requestId: 'request-1', client: 'api' };

export interface Member extends SignedIn {
  readonly caller: MemberCaller;
}

export interface World {
  readonly kernel: Kernel;
  readonly accounts: Accounts;
  /** Moves the clock to this many milliseconds from now. */
  travel(ms: number): void;
  /** Stops the clock at this time (ISO). */
  freeze(at: string): void;
  company(name: string, preset?: Preset): Promise<{ tenant: Tenant; admin: Member }>;
  member(inviter: Member, role: Role, email: string, username?: string): Promise<Member>;
  accept(token: string, username?: string): Promise<Member>;
  caller(signedIn: SignedIn): Promise<MemberCaller>;
}

export async function openWorld(overrides: Partial<Config> = {}): Promise<World> {
  let offset = 0;
  let frozen: number | undefined;
  let accounts!: Accounts;
  const kernel = await openTestKernel(
    { signInAccountLimit: 1_000, signInAddressLimit: 100_000, ...overrides },
    {
      clock: shiftedClock(() => (frozen === undefined ? offset : frozen - Date.now())),
      modules: (made) => {
        accounts = createAccounts(made);
        return [accounts];
      },
    },
  );
  const { services } = accounts;

  async function caller(signedIn: SignedIn): Promise<MemberCaller> {
    const found = await accounts.authenticate(signedIn.accessToken);
    if (found.kind !== 'member') throw new Error('not a member');
    return found;
  }
  async function accept(token: string, username?: string): Promise<Member> {
    const signedIn = await services.invitations.accept({ token, password, username }, origin);
    return { ...signedIn, caller: await caller(signedIn) };
  }
  return {
    kernel,
    accounts,
    travel: (ms) => {
      offset = ms;
    },
    freeze: (at) => {
      frozen = Date.parse(at);
    },
    caller,
    accept,
    async company(name, preset = 'company') {
      const { record } = await kernel.tenants.create({ name, email: `office@${name}.example`, preset }, testOperator);
      const tenant = await kernel.tenants.open(record.id, { kind: 'system' });
      const person = { email: `admin@${name}.example`, full_name: 'HR admin' };
      const { token } = await accounts.inviteAdmin(tenant, person, testOperator);
      return { tenant, admin: await accept(token) };
    },
    async member(inviter, role, email, username) {
      const { token } = await services.invitations.invite(
        inviter.caller,
        { email, fullName: `${role} person`, role },
        origin,
      );
      return accept(token, username);
    },
  };
}

/** The code of the refusal that this ends in. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'no refusal';
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}
