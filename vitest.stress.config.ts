/** Fleets of thousands on a real PostgreSQL: minutes, and gigabytes of the temporary folder. One file at a time. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/stress/**/*.test.ts'],
    testTimeout: 20 * 60_000,
    hookTimeout: 20 * 60_000,
    teardownTimeout: 60_000,
    // An event that is promised soon is waited for ten times as long and longer, on a busy machine too.
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    fileParallelism: false,
  },
});
