/** Every fault: processes killed at every step, power cut, disks filled. Long, and one file at a time. */
import './bin/compile-cache.js';
import { defineConfig } from 'vitest/config';
import { threadEnvironment } from './src/kernel/compile-cache.ts';

export default defineConfig({
  test: {
    include: ['test/faults/**/*.test.ts'],
    globalSetup: ['test/support/postgres-cluster.ts'],
    testTimeout: 20 * 60_000,
    hookTimeout: 2 * 60_000,
    teardownTimeout: 30_000,
    // Programs that are killed before they could keep what they compiled find it all the same.
    env: threadEnvironment(),
    // An event that is promised soon is waited for ten times as long and longer, on a busy machine too.
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    fileParallelism: false,
  },
});
