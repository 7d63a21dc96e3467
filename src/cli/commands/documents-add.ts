/** `strongroom documents add`: uploads files, one after the other; says how far each is, and what became of it. */
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Command } from 'commander';
import type { Progress } from '../../client/upload.ts';
import type { Document } from '../../modules/documents/contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure, endWith, toFailure } from '../failure.ts';
import { asMember, type MemberOptions, withSignIn } from '../member.ts';
import type { Remote } from '../remote.ts';
import { humanBytes } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import type { Tools } from '../tools.ts';

interface Options extends MemberOptions {
  readonly basket?: string;
  readonly onConflict?: string;
  readonly metadata?: string;
}

export function registerDocumentsAdd(documents: Command, tools: Tools): void {
  const { terminal } = tools;
  const command = documents
    .command('add <file...>')
    .description('upload files')
    .option('--basket <id>', 'basket to put them into')
    .option('--on-conflict <what>', 'error, version or rename where the name is taken')
    .option('--metadata <json>', 'a JSON object');
  withSignIn(command).action(async (files: string[], options: Options) => {
    for (const file of files) await requireFile(file);
    if (options.metadata !== undefined) metadataOf(options.metadata);
    const added: Document[] = [];
    let failure: CommandFailure | undefined;
    await asMember(tools, options, async (member) => {
      for (const file of files) {
        try {
          const document = await upload(terminal, member, file, options);
          added.push(document);
          if (options.json !== true) {
            terminal.print(`${document.id}  ${document.filename}  ${humanBytes(document.size_bytes)}`);
          }
        } catch (error) {
          failure = toFailure(error);
          terminal.note(`${file}: ${failure.message}`);
        }
      }
    });
    if (options.json === true) terminal.printJson(added);
    if (failure !== undefined) throw endWith(added.length > 0 ? exitCodes.partial : failure.exitCode);
  });
}

async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined || !found.isFile()) {
    throw new CommandFailure(exitCodes.notFound, `There is no file ${file}. Nothing was uploaded.`);
  }
}

/** The bytes are read while they are sent, never held as a whole. */
async function upload({ progress }: Terminal, member: Remote, file: string, options: Options): Promise<Document> {
  const filename = basename(file);
  const onProgress = ({ sentBytes, totalBytes = 0 }: Progress) => {
    const part = totalBytes === 0 ? 100 : Math.floor((sentBytes / totalBytes) * 100);
    progress.show(`${filename}: ${part} % of ${humanBytes(totalBytes)}`);
  };
  try {
    return await member.upload(await openAsBlob(file), {
      filename,
      ...(options.basket === undefined ? {} : { basketId: options.basket }),
      // The server says which there are.
      ...(options.onConflict === undefined ? {} : { onConflict: options.onConflict as 'error' }),
      ...(options.metadata === undefined ? {} : { metadata: metadataOf(options.metadata) }),
      ...(progress.live ? { onProgress } : {}),
    });
  } finally {
    progress.end();
  }
}

function metadataOf(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new CommandFailure(
    exitCodes.invalid,
    '--metadata must be a JSON object, as {"year":2026}. Nothing was uploaded.',
  );
}
