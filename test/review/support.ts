/** A data folder of one test file's own, and the configuration of a program on it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testConfig } from '../../src/kernel/config.ts';
import type { Config } from '../../src/kernel/settings.ts';

export function temporaryConfig(more: Partial<Config> = {}): { config: Config; remove(): void } {
  const dataDir = mkdtempSync(join(tmpdir(), 'strongroom-review-'));
  return {
    config: testConfig({ dataDir, port: 0, ...more }),
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}
