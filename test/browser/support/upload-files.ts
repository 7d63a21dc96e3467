/** What tests of uploads need: files, a slow connection, and drags over a window. */
import { createHash, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';

export const megabyte = 1_000_000;

/** Random bytes in a file, and their digest. */
export async function randomFile(
  folder: string,
  name: string,
  bytes: number,
): Promise<{ path: string; sha256: string }> {
  const path = join(folder, name);
  const hash = createHash('sha256');
  const file = await open(path, 'w');
  for (let left = bytes; left > 0; left -= megabyte) {
    const piece = randomBytes(Math.min(megabyte, left));
    hash.update(piece);
    await file.write(piece);
  }
  await file.close();
  return { path, sha256: hash.digest('hex') };
}

/**
 * So slow that there is a middle. Gives back how to end it; or to cut the network off instead, which has to be said by
 * the one who slowed it down: another's word does not count meanwhile.
 */
export async function slowDown(page: Page, bytesPerSecond: number): Promise<(to?: 'offline') => Promise<void>> {
  const session = await page.context().newCDPSession(page);
  const conditions = { offline: false, latency: 0, downloadThroughput: -1 };
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', { ...conditions, uploadThroughput: bytesPerSecond });
  return async (to) => {
    if (to === 'offline') {
      await session.send('Network.emulateNetworkConditions', { ...conditions, offline: true, uploadThroughput: -1 });
      return;
    }
    await session.send('Network.emulateNetworkConditions', { ...conditions, uploadThroughput: -1 });
    await session.detach();
  };
}

/** A drag over the window and, where wanted, the drop; made by the browser out of these files, over what `at` finds. */
export async function drag(
  page: Page,
  files: readonly { name: string; text: string; type: string }[],
  drop: boolean,
  at = 'body',
) {
  const transfer = await page.evaluateHandle((given) => {
    const made = new DataTransfer();
    for (const { name, text, type } of given) made.items.add(new File([text], name, { type }));
    return made;
  }, files);
  await page.dispatchEvent(at, 'dragenter', { dataTransfer: transfer });
  await page.dispatchEvent(at, 'dragover', { dataTransfer: transfer });
  if (drop) await page.dispatchEvent(at, 'drop', { dataTransfer: transfer });
}
