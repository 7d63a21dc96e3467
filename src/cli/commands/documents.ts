/** `strongroom documents`: upload, list and fetch as a user of a company. */
import type { Command } from 'commander';
import type { Tools } from '../tools.ts';
import { registerDocumentsAdd } from './documents-add.ts';
import { registerDocumentsGet } from './documents-get.ts';
import { registerDocumentsList } from './documents-list.ts';

export function registerDocuments(program: Command, tools: Tools): void {
  const documents = program.command('documents').description('documents of a company, as one of its users');
  registerDocumentsAdd(documents, tools);
  registerDocumentsList(documents, tools);
  registerDocumentsGet(documents, tools);
}
