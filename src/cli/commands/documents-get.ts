/** `strongroom documents get`: the bytes of a document, into a file that is complete or not there. */
import { createWriteStream } from 'node:fs';
import { access, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as WebStream } from 'node:stream/web';
import type { Command } from 'commander';
import { documentsContract } from '../../modules/documents/contract.ts';
import { exitCodes } from '../exit-codes.ts';
import { CommandFailure } from '../failure.ts';
import { asMember, type MemberOptions, withSignIn } from '../member.ts';
import { humanBytes } from '../table.ts';
import type { Tools } from '../tools.ts';

interface Options extends MemberOptions {
  readonly out?: string;
  readonly force?: boolean;
}

export function registerDocumentsGet(documents: Command, tools: Tools): void {
  const { terminal } = tools;
  const command = documents
    .command('get <id>')
    .description('fetch a document')
    .option('--out <file>', 'where to write it; - is standard output (default: its own name)')
    .option('--force', 'write over a file that is there');
  withSignIn(command).action(async (id: string, options: Options) => {
    await asMember(tools, options, async (member) => {
      const { body: document } = await member.call(documentsContract.getDocument, { params: { id } });
      const target = options.out ?? basename(document.filename);
      if (target !== '-' && options.force !== true) await requireAbsent(target);
      const answer = await member.open(documentsContract.downloadDocument, {
        params: { id },
        headers: { accept: '*/*' },
      });
      const bytes = Readable.fromWeb(answer.body as unknown as WebStream);
      if (target === '-') {
        await pipeline(bytes, process.stdout, { end: false });
        return;
      }
      const partial = `${target}.part`;
      try {
        await pipeline(bytes, createWriteStream(partial, { mode: 0o600 }));
        await rename(partial, target);
      } catch (error) {
        await rm(partial, { force: true });
        throw error;
      }
      if (options.json === true) terminal.printJson({ ...document, file: target });
      else terminal.print(`${target}  ${humanBytes(document.size_bytes)}`);
    });
  });
}

async function requireAbsent(target: string): Promise<void> {
  const there = await access(target).then(
    () => true,
    () => false,
  );
  if (there) {
    throw new CommandFailure(
      exitCodes.conflict,
      `The file ${target} is there already. Add --force, or choose another --out.`,
    );
  }
}
