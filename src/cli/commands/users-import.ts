/**
 * `strongroom users import`: people from another system, from CSV or JSON, with the password hashes they had. Every
 * row gets a result; a bad one loses nothing of the others, and running the file again adds only what is missing.
 */
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { parse } from 'csv-parse/sync';
import { hostContract, type ImportResult } from '../../modules/fleet/host-contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure, endWith } from '../failure.ts';
import { type CommonOptions, withCommon } from '../options.ts';
import type { Tools } from '../tools.ts';

interface Options extends CommonOptions {
  readonly company: string;
}

type Row = Readonly<Record<string, unknown>>;

const columns = ['email', 'full_name', 'role', 'username', 'password_hash'] as const;
/** Rows of one request: stays far below the limit of a body, and lets other work through in between. */
const batch = 200;

export function registerUsersImport(program: Command, { terminal, withHost }: Tools): void {
  const users = program.command('users').description('people of a company');
  const command = users
    .command('import <file>')
    .description('add people from a CSV or JSON file (email, full_name, role, username?, password_hash?)')
    .requiredOption('--company <company>', 'id or slug');
  withCommon(command).action(async (file: string, options: Options) => {
    const rows = await readRows(file);
    const results: ImportResult[] = [];
    await withHost(options, async (host) => {
      for (let from = 0; from < rows.length; from += batch) {
        const { body } = await host.call(hostContract.hostImportUsers, {
          body: { company: options.company, rows: rows.slice(from, from + batch) as Record<string, unknown>[] },
        });
        results.push(...body.results.map((result) => ({ ...result, row: result.row + from })));
      }
    });
    const failed = results.filter((result) => result.status === 'failed');
    const created = results.filter((result) => result.status === 'created').length;
    if (options.json === true) terminal.printJson(results);
    else {
      terminal.print(
        `${created} created, ${results.length - created - failed.length} were there already, ${failed.length} failed.`,
      );
      if (failed.length > 0) {
        terminal.printTable(
          failed,
          [
            { title: 'ROW', value: (result) => result.row, align: 'right' },
            { title: 'E-MAIL', value: (result) => result.email },
            { title: 'REASON', value: (result) => result.reason, flexible: true },
          ],
          '',
        );
        terminal.note('Correct these rows and import the file again; the others stay as they are.');
      }
    }
    if (failed.length > 0) throw endWith(created > 0 ? exitCodes.partial : exitCodes.invalid);
  });
}

/** The rows of a file, empty fields left out. @throws CommandFailure for a file that is neither CSV nor JSON */
export async function readRows(file: string): Promise<Row[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new CommandFailure(
      missing ? exitCodes.notFound : exitCodes.invalid,
      `The file ${file} ${missing ? 'does not exist' : 'cannot be read'}.`,
    );
  }
  const rows = /^\s*\[/.test(text) ? fromJson(text) : fromCsv(text);
  if (rows.length === 0) throw new CommandFailure(exitCodes.invalid, 'The file has no rows.');
  return rows;
}

function fromJson(text: string): Row[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new CommandFailure(exitCodes.invalid, 'The file begins like JSON and is not valid JSON.');
  }
  // What is no object is kept as a row, so that it is reported under its number.
  return (parsed as unknown[]).map((row) =>
    typeof row === 'object' && row !== null && !Array.isArray(row) ? withoutEmpty(row as Row) : { row: String(row) },
  );
}

function fromCsv(text: string): Row[] {
  let header: readonly string[] = [];
  let records: Row[];
  try {
    records = parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      columns: (names: string[]) => {
        header = names.map((name) => name.toLowerCase());
        return [...header];
      },
    }) as Row[];
  } catch {
    throw new CommandFailure(
      exitCodes.invalid,
      'The file is not valid CSV: a quotation mark is not closed, or stands in the wrong place.',
    );
  }
  for (const needed of columns.slice(0, 3)) {
    if (!header.includes(needed)) {
      throw new CommandFailure(exitCodes.invalid, `The first line must name the columns; ${needed} is missing.`);
    }
  }
  const unknown = header.find((name) => !columns.includes(name as (typeof columns)[number]));
  if (unknown !== undefined) {
    throw new CommandFailure(exitCodes.invalid, `There is no column "${unknown}". Known are ${columns.join(', ')}.`);
  }
  return records.map(withoutEmpty);
}

function withoutEmpty(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== '' && value !== null));
}
