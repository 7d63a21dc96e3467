/** Commands that act as a user of a company: sign in, or bring a token; on this host or at an address. */
import type { Command } from 'commander';
import { accountsContract } from '../modules/accounts/contract.ts';
import { connectHost } from './connect.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandFailure } from './failure.ts';
import { type CommonOptions, configOf, tokenVariable, withCommon } from './options.ts';
import { createRemote, type Remote } from './remote.ts';
import { readSecret } from './terminal.ts';
import type { Tools } from './tools.ts';

export interface MemberOptions extends CommonOptions {
  readonly url?: string;
  readonly company?: string;
  readonly user?: string;
  readonly passwordStdin?: boolean;
}

export function withSignIn(command: Command): Command {
  return withCommon(command)
    .option('--url <address>', 'a server elsewhere, as https://documents.example.com')
    .option('--company <company>', 'id or slug')
    .option('--user <name>', 'user name or e-mail address')
    .option('--password-stdin', `read the password from standard input (or set ${tokenVariable} to an access token)`);
}

/** Signs in, runs `work`, signs out. */
export async function asMember<T>(
  { terminal }: Tools,
  options: MemberOptions,
  work: (member: Remote) => Promise<T>,
): Promise<T> {
  const given = terminal.env[tokenVariable];
  const password = await passwordOf(options, given);
  const server = await serverOf(options, terminal.env);
  try {
    if (given !== undefined && given !== '' && password === undefined) return await work(server.withToken(given));
    const { body } = await server.call(accountsContract.login, {
      body: {
        username: options.user!,
        password: password!,
        ...(options.company === undefined ? {} : { company: options.company }),
      },
    });
    const member = server.withToken(body.access_token);
    try {
      return await work(member);
    } finally {
      // A session that nobody will use again; that the command is over matters more.
      await member.call(accountsContract.logout).catch(() => {});
    }
  } finally {
    await server.close();
  }
}

async function passwordOf(options: MemberOptions, token: string | undefined): Promise<string | undefined> {
  if (options.user === undefined) {
    if (token !== undefined && token !== '') return undefined;
    throw new CommandFailure(
      exitCodes.unauthenticated,
      `Sign in with --company, --user and --password-stdin, or set ${tokenVariable} to an access token.`,
    );
  }
  if (options.passwordStdin !== true) {
    throw new CommandFailure(exitCodes.unauthenticated, 'Send the password with --password-stdin.');
  }
  return readSecret();
}

async function serverOf(options: MemberOptions, env: Tools['terminal']['env']): Promise<Remote> {
  if (options.url === undefined) return connectHost(configOf(options, env).config);
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new CommandFailure(exitCodes.invalid, '--url must begin with http:// or https://.');
  }
  return createRemote(url.origin, fetch, async () => {});
}
