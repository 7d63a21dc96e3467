/** Sign-in, eight at once, against argon2id alone with the same parameters and the same eight at once. */
import { hash } from '@node-rs/argon2';
import { alternate, median, type Row, timed } from '../measure.ts';
import { login, newCompany, setUpOperator } from '../people.ts';
import { benchFolder, removeFolder, startProduct } from '../server.ts';

export async function run(quick: boolean): Promise<Row[]> {
  const folder = benchFolder('sign-in');
  const product = await startProduct(folder);
  try {
    const operator = await setUpOperator(product);
    const member = await newCompany(product, operator);
    const total = quick ? 80 : 240;
    const eightAtOnce = async (one: () => Promise<unknown>) => {
      const ms = await timed(() =>
        Promise.all(
          Array.from({ length: 8 }, async () => {
            for (let index = 0; index < total / 8; index += 1) await one();
          }),
        ),
      );
      return total / (ms / 1_000);
    };
    // A server that has just started is still compiling its own code: that is not what a sign-in costs.
    for (let round = 0; round < 2; round += 1) await eightAtOnce(() => login(product.url, member));
    const results = await alternate(
      quick ? 3 : 5,
      () => eightAtOnce(() => hash('a pass phrase of the bench', { memoryCost: 19_456, timeCost: 2, parallelism: 1 })),
      () => eightAtOnce(() => login(product.url, member)),
    );
    const bare = median(results.bare);
    const ours = median(results.ours);
    return [
      {
        what: 'sign-in, 8 at once',
        bare,
        ours,
        unit: '/s',
        aim: '>= 0.75 of argon2id alone',
        met: ours >= 0.75 * bare,
      },
    ];
  } finally {
    await product.stop();
    removeFolder(folder);
  }
}
