/** What becomes of files that were made to hurt whoever opens them, asked of a real kernel: for tests. */
import { expect } from 'vitest';
import { second } from '../../src/kernel/clock.ts';
import { openWorld, sha256, upload } from '../../src/modules/documents/test-support.ts';

/** What becomes of a file: the reason for which it cannot be shown, or `shown`. However often it may be tried. */
export async function fateOf(filename: string, content: Buffer, declared?: string) {
  const world = await openWorld();
  const company = await world.company();
  const person = await company.person('employee');
  const { document } = await upload(world, person, filename, content, {}, declared);
  const look = () => world.documents.renditions.open(person, document.id, 'preview', {}, () => undefined);
  let fate = 'pending';
  for (let times = 0; times < 4 && fate === 'pending'; times += 1) {
    await world.kernel.settle();
    fate = await look().then(
      (answer) => {
        if ('body' in answer && 'destroy' in answer.body) answer.body.destroy();
        return answer.status === 200 ? 'shown' : 'pending';
      },
      (error: { code: string; extra?: { reason?: string } }) => `${error.code} ${error.extra?.reason ?? ''}`.trim(),
    );
    world.travel(10 * second);
  }
  // Whatever it was: it is given back as it came, and nothing of the attempt is left.
  const back = await world.documents.downloads.open(person, document.id, undefined, () => undefined);
  const chunks: Uint8Array[] = [];
  if ('body' in back) for await (const chunk of back.body) chunks.push(chunk as Uint8Array);
  expect(sha256(Buffer.concat(chunks))).toBe(sha256(content));
  expect(await world.documents.module.examine!(company.tenant, { repair: false, deep: true })).toEqual([]);
  if (fate !== 'shown') expect(company.objects()).toHaveLength(1);
  return fate;
}

/** Whatever the reason. */
export const previewFailed = /^preview_failed /;
