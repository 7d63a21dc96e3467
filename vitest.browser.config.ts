/** The browser suite: the real server, the built app, a real Chromium. One file at a time: they share two cores. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/support/global-setup.ts'],
    testTimeout: 240_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    // As long as the browser waits for what it is asked to find.
    expect: { poll: { timeout: 30_000 } },
    pool: 'forks',
    // With two at once it takes nearly as long, and what is timed says less.
    maxWorkers: 1,
    fileParallelism: false,
  },
});
