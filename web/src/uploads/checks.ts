/** What can be refused before a byte moves. What is not known here, the server refuses as the upload begins. */
import { filenameProblem } from '../../../src/modules/documents/contract.ts';
import { client } from '../app/session.ts';
import type { Refusal } from './item.ts';

export interface Limits {
  readonly largest: number | undefined;
  readonly denied: readonly string[];
}

const freshMs = 60_000;
let asked: { at: number; limits: Promise<Limits> } | undefined;

/** Asked for again after a minute; nothing is known while nobody answers. */
export function limits(): Promise<Limits> {
  if (asked === undefined || Date.now() - asked.at > freshMs) {
    const answer = askLimits();
    asked = { at: Date.now(), limits: answer };
    answer.catch(() => {
      asked = undefined;
    });
  }
  return asked.limits.catch(() => ({ largest: undefined, denied: [] }));
}

export function forgetLimits(): void {
  asked = undefined;
}

async function askLimits(): Promise<Limits> {
  const [described, settings] = await Promise.all([
    client.open('describeUploads'),
    client.documents.getDocumentSettings(),
  ]);
  const largest = Number(described.headers.get('tus-max-size') ?? Number.NaN);
  return { largest: Number.isFinite(largest) ? largest : undefined, denied: settings.denied_types };
}

/** Endings, types (`application/pdf`) and families (`video/*`). */
function isDenied(denied: readonly string[], name: string, type: string): boolean {
  const lower = name.toLowerCase().replace(/[. ]+$/, '');
  return denied.some((entry) => {
    if (entry.startsWith('.')) return lower.endsWith(entry);
    return entry.endsWith('/*') ? type.startsWith(entry.slice(0, -1)) : type === entry;
  });
}

export function refusalOf(file: File, { largest, denied }: Limits): Refusal | undefined {
  if (file.name.trim() === '') return { code: 'name_empty' };
  if (filenameProblem(file.name) !== undefined) return { code: [...file.name].length > 255 ? 'name_long' : 'name' };
  if (largest !== undefined && file.size > largest) return { code: 'too_large', limit: largest };
  return isDenied(denied, file.name, file.type.toLowerCase()) ? { code: 'type' } : undefined;
}
