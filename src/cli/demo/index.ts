/**
 * `strongroom demo`: two companies on a fresh temporary folder, people of every role, real files, what each person
 * sees, what lies on the disk, and every try to get from one company into the other. Ends with 1 if one got through.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { testConfig } from '../../kernel/config.ts';
import type { TenantId } from '../../kernel/ids.ts';
import { accountsContract } from '../../modules/accounts/contract.ts';
import { documentsContract } from '../../modules/documents/contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { endWith } from '../failure.ts';
import { createRemote } from '../remote.ts';
import { humanBytes, renderTable } from '../table.ts';
import type { Tools } from '../tools.ts';
import { type Attempt, httpAttempts } from './attempts.ts';
import { type DemoCompany, type DemoPerson, foundCompany } from './company.ts';
import { filesThatMention, placesOf, showPlaces } from './disk.ts';
import { companies, demoRoles } from './people.ts';

interface Options {
  readonly keep?: boolean;
  readonly json?: boolean;
}

export function registerDemo(program: Command, { terminal }: Tools): void {
  program
    .command('demo')
    .description('show two companies side by side, and try to get from one into the other')
    .option('--keep', 'leave the folder there to look at')
    .option('--json', 'answer in JSON, for programs')
    .action(async (options: Options) => {
      const dataDir = await mkdtemp(join(tmpdir(), 'strongroom-demo-'));
      const say = options.json === true ? () => {} : terminal.print;
      try {
        const attempts = await play(dataDir, say);
        const through = attempts.filter((attempt) => attempt.through).length;
        if (options.json === true) terminal.printJson({ attempts, through });
        else {
          say(
            through === 0
              ? `\nNone of ${attempts.length} tries got through. Start your own with \`npm start\`.`
              : `\n${through} of ${attempts.length} tries GOT THROUGH. This must never happen: please report it.`,
          );
        }
        if (through > 0) throw endWith(exitCodes.failed);
      } finally {
        if (options.keep === true) terminal.note(`The folder is ${dataDir}.`);
        else await rm(dataDir, { recursive: true, force: true });
      }
    });
}

type Say = (text: string) => void;

async function play(dataDir: string, say: Say): Promise<Attempt[]> {
  // With the server behind it, and not with every command: what reads SQL takes longer to load than all else here.
  const { startProgram } = await import('../../server/program.ts');
  const { sqlAttempts } = await import('./sql-attempts.ts');
  const server = await startProgram(testConfig({ dataDir }));
  try {
    const base = server.address;
    const anybody = createRemote(base, fetch, async () => {});
    say('Strongroom: two companies, each with a database and a folder of its own.\n');
    const operator = await anybody.call(accountsContract.setup, {
      body: {
        token: server.setupToken ?? '',
        username: 'operator',
        email: 'operator@example.com',
        password: randomBytes(18).toString('base64url'),
      },
    });
    const operatorToken = operator.body.access_token;
    const made: DemoCompany[] = [];
    say('1. The operator creates the companies; everybody is invited by the one above them');
    for (const cast of companies) {
      const company = await foundCompany(anybody.withToken(operatorToken), anybody, cast);
      made.push(company);
      introduce(company, say);
    }
    const [left, right] = made as [DemoCompany, DemoCompany];

    say('\n2. What each person sees');
    for (const each of made) await showViews(each, say);

    say('\n3. What lies on the disk');
    const mentions = await showDisk(dataDir, left, right, say);

    say(`\n4. ${right.company.name} tries to reach the documents of ${left.company.name}`);
    const victimFile = placesOf(dataDir, left.company).database;
    const attempts = [
      ...(await httpAttempts(base, fetch, operatorToken, right, left)),
      ...(await sqlAttempts(server.kernel, right.company.id as TenantId, victimFile, join(dataDir, 'away.db'))),
      ...mentions,
    ];
    showAttempts(attempts, say);
    await requireUntouched(left);
    return attempts;
  } finally {
    await server.close();
  }
}

function introduce({ company, people, documents }: DemoCompany, say: Say): void {
  say(`\n   ${company.name} (${company.id})`);
  for (const role of demoRoles) {
    const brought = documents.filter((document) => document.owner.id === people[role].id);
    const files = brought.map((document) => `${document.filename} (${humanBytes(document.size_bytes)})`);
    say(`     ${people[role].title.padEnd(11)} ${people[role].email.padEnd(26)} uploads ${files.join(', ')}`);
  }
}

async function seenBy(person: DemoPerson): Promise<ReadonlySet<string>> {
  const { body } = await person.as.call(documentsContract.listDocuments, { query: { limit: '200' } });
  return new Set(body.items.map((document) => document.id));
}

/** One row a document, one column a person. */
async function showViews({ company, people, documents }: DemoCompany, say: Say): Promise<void> {
  const seen = new Map<string, ReadonlySet<string>>();
  for (const role of demoRoles) seen.set(role, await seenBy(people[role]));
  const table = renderTable(documents, [
    { title: 'DOCUMENT', value: (document) => document.filename },
    { title: 'OWNER', value: (document) => document.owner.full_name },
    ...demoRoles.map((role) => ({
      title: people[role].title.toUpperCase(),
      value: (document: { id: string }) => (seen.get(role)!.has(document.id) ? 'sees it' : '·'),
    })),
  ]);
  say(`\n   ${company.name}\n${indent(table)}`);
}

async function showDisk(dataDir: string, left: DemoCompany, right: DemoCompany, say: Say): Promise<Attempt[]> {
  const findings: Attempt[] = [];
  for (const [mine, other] of [
    [left, right],
    [right, left],
  ] as const) {
    say(`\n   ${mine.company.name}`);
    for (const line of await showPlaces(dataDir, mine.company)) say(`     ${line}`);
    const words = [other.company.id, other.company.email, other.people.hr_admin.email, other.people.hr_admin.id];
    const found = await filesThatMention(dataDir, mine.company, words);
    findings.push({
      group: 'In the files themselves',
      what: `ids and addresses of ${other.company.name} in the files of ${mine.company.name}`,
      got: found === 0 ? 'not a byte' : `in ${found} files`,
      through: found > 0,
    });
  }
  return findings;
}

function showAttempts(attempts: readonly Attempt[], say: Say): void {
  for (const group of new Set(attempts.map((attempt) => attempt.group))) {
    const rows = attempts.filter((attempt) => attempt.group === group);
    const table = renderTable(rows, [
      { title: 'TRY', value: (attempt) => attempt.what },
      { title: 'GOT', value: (attempt) => attempt.got },
      { title: '', value: (attempt) => (attempt.through ? 'GOT THROUGH' : 'held') },
    ]);
    say(`\n   ${group}\n${indent(table)}`);
  }
}

/** After all tries the documents must be what they were. */
async function requireUntouched({ people, documents }: DemoCompany): Promise<void> {
  const { body } = await people.hr_admin.as.call(documentsContract.listDocuments, { query: { limit: '200' } });
  const after = new Map(body.items.map((document) => [document.id, document]));
  const changed = documents.filter((document) => {
    const now = after.get(document.id);
    return now === undefined || now.sha256 !== document.sha256 || now.filename !== document.filename;
  });
  if (changed.length > 0) throw new Error(`${changed.length} documents were changed by the tries`);
}

function indent(text: string): string {
  return text.replace(/^/gm, '     ');
}
