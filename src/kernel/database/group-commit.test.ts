/** Group commit with writes that end when the test says so. */
import { expect, test } from 'vitest';
import { type GroupCommitOptions, groupCommit } from './group-commit.ts';

interface Write {
  readonly items: readonly number[];
  readonly end: PromiseWithResolvers<void>;
}

/** Doubles numbers. A write goes wrong where the test rejects its end, or where it has a 13. */
function start(options: GroupCommitOptions<number> = {}) {
  const writes: Write[] = [];
  const doubled = groupCommit(async (items: readonly number[]) => {
    const end = Promise.withResolvers<void>();
    writes.push({ items, end });
    await end.promise;
    if (items.includes(13)) throw new Error('unlucky');
    return items.map((item) => item * 2);
  }, options);
  const written = () => writes.map(({ items }) => items);
  const turn = () => new Promise(setImmediate);
  /** Ends the write that runs, and all that follow. */
  const finish = async () => {
    for (let index = 0; index < writes.length; index += 1) {
      writes[index]!.end.resolve();
      await turn();
    }
  };
  return { doubled, writes, written, finish, turn };
}

test('what comes while one write runs goes with the next, and each gets its own result', async () => {
  const { doubled, writes, written, finish, turn } = start();
  const answers = [1, 2, 3].map((item) => doubled.add(item));
  await turn();
  expect(written()).toEqual([[1]]);
  expect(doubled.idle).toBe(false);
  writes[0]!.end.resolve();
  expect(await answers[0]).toBe(2);
  await turn();
  answers.push(doubled.add(4));
  await turn();
  expect(written()).toEqual([[1], [2, 3]]);
  await finish();
  expect(await Promise.all(answers)).toEqual([2, 4, 6, 8]);
  expect(written()).toEqual([[1], [2, 3], [4]]);
  expect(doubled.idle).toBe(true);
});

test('is idle as soon as the last caller hears of its write, and begins again', async () => {
  const { doubled, finish } = start();
  const heard = doubled.add(1).then(() => doubled.idle);
  await finish();
  expect(await heard).toBe(true);
  const again = doubled.add(2);
  await finish();
  expect(await again).toBe(4);
});

test('an error is that of all who were in the write, and of nobody else', async () => {
  const { doubled, finish } = start();
  const all = Promise.allSettled([1, 13, 3].map((item) => doubled.add(item)));
  await finish();
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  const after = doubled.add(5);
  await finish();
  expect(await after).toBe(10);
});

test('where it is asked for, one that goes wrong keeps no other from its write', async () => {
  const { doubled, written, finish } = start({ alone: (error) => (error as Error).message === 'unlucky' });
  const all = Promise.allSettled([1, 2, 13, 4].map((item) => doubled.add(item)));
  await finish();
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(written()).toEqual([[1], [2, 13, 4], [2], [13], [4]]);
});

test('an error that is not worth a try for each is told to all at once', async () => {
  const { doubled, writes, written, turn } = start({ alone: (error) => (error as Error).message === 'unlucky' });
  const all = Promise.allSettled([1, 2, 3].map((item) => doubled.add(item)));
  writes[0]!.end.resolve();
  await turn();
  writes[1]!.end.reject(new Error('the server is gone'));
  expect((await all).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  expect(written()).toEqual([[1], [2, 3]]);
});

test('a write has so many items at most, in the order asked for, and results go to whom they belong', async () => {
  const { doubled, written, finish } = start({ most: 3, order: (one, other) => one - other });
  const answers = [1, 9, 7, 8, 5, 6].map((item) => doubled.add(item));
  await finish();
  expect(await Promise.all(answers)).toEqual([2, 18, 14, 16, 10, 12]);
  expect(written()).toEqual([[1], [7, 8, 9], [5, 6]]);
});
