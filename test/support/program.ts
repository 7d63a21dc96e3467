/**
 * The whole program in this process, on a folder and a port of its own, with typed clients for the people in it. Every
 * answer is also parsed by its contract's shape, so that one that does not fit fails the test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, createClient } from '../../src/client/index.ts';
import { testConfig } from '../../src/kernel/config.ts';
import type { PlacementKind } from '../../src/kernel/placements/placement.ts';
import type { Role } from '../../src/kernel/roles.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { type Program, type ProgramOptions, startProgram } from '../../src/server/program.ts';
import { password } from './story.ts';

/** A person who is signed in. */
export interface TestPerson {
  readonly client: Client;
  readonly id: string;
  readonly email: string;
  readonly token: string;
}

export interface TestCompany {
  readonly id: string;
  readonly slug: string;
  readonly bucket: string;
  /** Its first administrator. */
  readonly admin: TestPerson;
}

export interface TestProgram {
  readonly program: Program;
  readonly url: string;
  readonly dataDir: string;
  /** A client that nobody is signed in with. */
  anonymous(): Client;
  /** Sets the first operator up, once; the same one afterwards. */
  operator(): Promise<TestPerson>;
  company(
    name: string,
    input?: { roles?: 'company' | 'workspace'; quota_bytes?: number; placement?: PlacementKind },
  ): Promise<TestCompany>;
  /** Invites and accepts. */
  person(inviter: TestPerson, role: Role, email?: string): Promise<TestPerson>;
  /** Ends the program and removes its folder. */
  stop(): Promise<void>;
}

export async function startTestProgram(
  overrides: Partial<Config> = {},
  options: ProgramOptions = {},
): Promise<TestProgram> {
  const dataDir = overrides.dataDir ?? mkdtempSync(join(tmpdir(), 'strongroom-test-'));
  const program = await startProgram(testConfig({ dataDir, ...overrides }), { validateAnswers: true, ...options });
  const url = program.address;
  const anonymous = () => createClient({ baseUrl: url });
  let operator: Promise<TestPerson> | undefined;
  let people = 0;

  async function setUp(): Promise<TestPerson> {
    const client = anonymous();
    const email = 'operator@example.com';
    const body = { token: program.setupToken ?? '', username: 'operator', email, password };
    const { user } = await client.accounts.setup({ body });
    return { client, id: user.id, email, token: client.tokens!.accessToken };
  }

  async function accept(token: string): Promise<TestPerson> {
    const client = anonymous();
    const { user } = await client.accounts.acceptInvitation({ body: { token, password } });
    return { client, id: user.id, email: user.email, token: client.tokens!.accessToken };
  }

  const test: TestProgram = {
    program,
    url,
    dataDir,
    anonymous,
    operator() {
      operator ??= setUp();
      return operator;
    },
    async company(name, input = {}) {
      const { client } = await test.operator();
      const email = `admin@${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.example`;
      const admin = { email, full_name: 'First admin' };
      const made = await client.fleet.createCompany({ body: { name, email, admin, ...input } });
      if (!('bucket' in made) || made.invitation === undefined) throw new Error('the company is not there yet');
      return { id: made.id, slug: made.slug, bucket: made.bucket, admin: await accept(made.invitation.token) };
    },
    async person(inviter, role, email) {
      people += 1;
      const body = { email: email ?? `${role}-${people}@people.example`, full_name: `${role} ${people}`, role };
      const { token } = await inviter.client.accounts.invite({ body });
      return await accept(token);
    },
    async stop() {
      await program.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
  return test;
}
