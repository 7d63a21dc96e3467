/**
 * What a client was promised: every upload that was answered 201, with the digest of its bytes. After a crash each must
 * be there, whole. An upload without an answer may be there or not, but never in part.
 */
import { createHash, randomBytes } from 'node:crypto';
import { fileForm } from './story.ts';

export interface Acknowledged {
  readonly id: string;
  readonly sha256: string;
  readonly token: string;
}

export interface AckLog {
  readonly acknowledged: Acknowledged[];
  readonly attempted: Set<string>;
}

export const newAckLog = (): AckLog => ({ acknowledged: [], attempted: new Set() });

/** Uploads without pause over `lanes` connections until `until()`; a lane ends when the server is gone. */
export async function uploadLoad(
  url: string,
  tokens: readonly string[],
  log: AckLog,
  options: { lanes: number; until: () => boolean; size: () => number },
): Promise<void> {
  const lane = async (index: number) => {
    const token = tokens[index % tokens.length]!;
    while (!options.until()) {
      const bytes = randomBytes(options.size());
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      log.attempted.add(sha256);
      try {
        const answer = await fetch(`${url}/api/documents/upload`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: fileForm(`file-${sha256.slice(0, 24)}.bin`, bytes),
        });
        const text = await answer.text();
        if (answer.status === 201)
          log.acknowledged.push({ id: (JSON.parse(text) as { id: string }).id, sha256, token });
      } catch {
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: options.lanes }, (_, index) => lane(index)));
}

/** Downloads every acknowledged document and names those that are missing or differ. */
export async function missingAfterCrash(
  url: string,
  log: AckLog,
  tokenFor: (token: string) => string,
): Promise<string[]> {
  const bad: string[] = [];
  for (const one of log.acknowledged) {
    const answer = await fetch(`${url}/api/documents/${one.id}/download`, {
      headers: { authorization: `Bearer ${tokenFor(one.token)}` },
    });
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (answer.status !== 200 || sha256 !== one.sha256) bad.push(`${one.id}: ${answer.status}`);
  }
  return bad;
}

/** Every document that a token lists, page by page. */
export async function listAll(
  url: string,
  token: string,
): Promise<{ id: string; sha256: string; size_bytes: number }[]> {
  const items: { id: string; sha256: string; size_bytes: number }[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await fetch(`${url}/api/documents?limit=200${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const page = (await answer.json()) as { items: typeof items; next_cursor: string | null };
    items.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return items;
}
