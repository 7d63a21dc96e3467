/** The browser suite: the real server, the built app, a real Chromium. */
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/browser/**/*.test.ts'],
    globalSetup: ['test/browser/support/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    // As long as the browser waits for what it is asked to find.
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    // Two files at once: half of its time a browser waits for the server, and the other way round.
    maxWorkers: 2,
  },
});
