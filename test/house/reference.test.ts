/** The pages of docs/reference are what the code says now. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contracts } from '../../src/cli/reference/contracts.ts';
import { thrownCodes } from '../../src/cli/reference/errors-page.ts';
import { referenceFolder, referencePages } from '../../src/cli/reference/index.ts';

describe('docs/reference', () => {
  it.each(Object.keys(referencePages))('%s is fresh', async (file) => {
    const written = await readFile(join(referenceFolder, file), 'utf8').catch(() => '');
    expect(written === referencePages[file]!(), `run \`node src/cli/reference/index.ts\` and commit ${file}`).toBe(
      true,
    );
  });

  it('knows where every code of a contract is thrown', () => {
    const thrown = thrownCodes();
    const promised = new Set(
      contracts.flatMap(({ contract }) => Object.values(contract).flatMap((route) => route.errors ?? [])),
    );
    expect(promised.size).toBeGreaterThan(20);
    expect([...promised].filter((code) => !thrown.has(code))).toEqual([]);
  });

  it('saw a product: many routes, many codes, many settings', () => {
    expect(contracts.flatMap(({ contract }) => Object.keys(contract)).length).toBeGreaterThan(80);
    expect(thrownCodes().size).toBeGreaterThan(50);
    expect(referencePages['settings.md']!().split('\n').length).toBeGreaterThan(50);
  });
});
