/** `strongroom documents list`: what this user may see. */
import type { Command } from 'commander';
import { type Document, documentsContract } from '../../modules/documents/contract.ts';
import { asMember, type MemberOptions, withSignIn } from '../member.ts';
import { humanBytes } from '../table.ts';
import type { Tools } from '../tools.ts';

interface Options extends MemberOptions {
  readonly q?: string;
  readonly basket?: string;
  readonly trashed?: boolean;
}

export function registerDocumentsList(documents: Command, tools: Tools): void {
  const { terminal } = tools;
  const command = documents
    .command('list')
    .description('documents that you may see, newest first')
    .option('--q <text>', 'part of the name')
    .option('--basket <id>', 'only in this basket')
    .option('--trashed', 'what is in the trash');
  withSignIn(command).action(async (options: Options) => {
    const items: Document[] = [];
    await asMember(tools, options, async (member) => {
      let cursor: string | undefined;
      do {
        const { body } = await member.call(documentsContract.listDocuments, {
          query: {
            limit: '200',
            ...(options.q === undefined ? {} : { q: options.q }),
            ...(options.basket === undefined ? {} : { basket_id: options.basket }),
            ...(options.trashed === true ? { trashed: 'true' as const } : {}),
            ...(cursor === undefined ? {} : { cursor }),
          },
        });
        items.push(...body.items);
        cursor = body.next_cursor ?? undefined;
      } while (cursor !== undefined);
    });
    if (options.json === true) {
      terminal.printJson(items);
      return;
    }
    terminal.printTable(
      items,
      [
        { title: 'ID', value: (document) => document.id },
        { title: 'NAME', value: (document) => document.filename, flexible: true },
        { title: 'TYPE', value: (document) => document.mime_type, flexible: true },
        { title: 'SIZE', value: (document) => humanBytes(document.size_bytes), align: 'right' },
        { title: 'OWNER', value: (document) => document.owner.full_name, flexible: true },
        { title: 'CREATED', value: (document) => document.created_at.slice(0, 16).replace('T', ' ') },
      ],
      'There are no documents that you may see.',
    );
  });
}
