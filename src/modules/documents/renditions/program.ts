/**
 * What is run on a file that nobody vouches for, in a process of its own (`kernel/isolated`): one kind, one parser,
 * loaded only there. Gives re-made pictures and plain text, and nothing of the file as it was.
 */
import type { IsolatedResult, IsolatedWork } from '../../../kernel/isolated/isolated.ts';
import { serveIsolated } from '../../../kernel/isolated/program.ts';
import type { Kind, Role } from './kinds.ts';

/** A thing that was made, as the facts name it; its bytes are the blob of the same place. */
export interface MadePart {
  readonly role: Role;
  readonly page: number;
  readonly type: 'image/webp' | 'text/plain';
}

export interface Made {
  /** Pages that the file has; null where it has none. */
  readonly pages: number | null;
  /** More text, or more pages, than are given here. */
  readonly truncated: boolean;
  readonly parts: readonly (MadePart & { readonly bytes: Uint8Array })[];
}

export type Maker = (input: Uint8Array) => Promise<Made>;

const makers: Readonly<Record<Exclude<Kind, 'text'>, () => Promise<Maker>>> = {
  pdf: async () => (await import('./pdf.ts')).makeOfPdf,
  image: async () => (await import('./picture.ts')).makeOfPicture,
  mail: async () => (await import('./mail.ts')).makeOfMail,
  docx: async () => (await import('./word.ts')).makeOfWord,
};

const work: IsolatedWork = async (input, task): Promise<IsolatedResult> => {
  const { kind } = task as { kind: Exclude<Kind, 'text'> };
  const make = await makers[kind]();
  const { pages, truncated, parts } = await make(input);
  const facts = { pages, truncated, parts: parts.map(({ role, page, type }) => ({ role, page, type })) };
  return { facts, blobs: parts.map(({ bytes }) => bytes) };
};

await serveIsolated(work);
