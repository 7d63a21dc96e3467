/** The terminal: what commands print on, read from and ask. */

import { exitCodes } from './exit-codes.ts';
import { CommandFailure } from './failure.ts';
import { createProgressLine, type ProgressLine } from './progress.ts';
import { type Column, renderTable } from './table.ts';

export interface Terminal {
  /** An answer, on standard output. */
  print(text: string): void;
  /** A remark, on standard error. */
  note(text: string): void;
  printJson(value: unknown): void;
  printTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], empty: string): void;
  /** What goes on now, for whoever looks. */
  readonly progress: ProgressLine;
  readonly interactive: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function createTerminal(): Terminal {
  const { stdout, stderr } = process;
  const print = (text: string) => void stdout.write(`${text}\n`);
  return {
    print,
    note: (text) => void stderr.write(`${text}\n`),
    printJson: (value) => print(JSON.stringify(value, null, 2)),
    printTable(rows, columns, empty) {
      if (rows.length === 0) print(empty);
      else print(renderTable(rows, columns, stdout.isTTY ? stdout.columns : undefined));
    },
    progress: createProgressLine(stderr),
    interactive: process.stdin.isTTY === true && stdout.isTTY === true,
    env: process.env,
  };
}

const longestSecret = 10_000;

/** One line from standard input, without its line break. @throws where there is none */
export async function readSecret(): Promise<string> {
  let text = '';
  process.stdin.setEncoding('utf8');
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.length > longestSecret) break;
  }
  const line = text.replace(/\r?\n$/, '');
  if (line === '') {
    throw new CommandFailure(
      exitCodes.invalid,
      'No password came on standard input. Pipe one in, as printf %s "$PASSWORD" | strongroom …',
    );
  }
  if (line.includes('\n')) {
    throw new CommandFailure(exitCodes.invalid, 'Standard input has more than one line. Send the password alone.');
  }
  return line;
}
