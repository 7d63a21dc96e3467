/** The quick suite: everything but `test/faults`, `test/stress` and `test/browser`, in about seven minutes on two cores. */
import './bin/compile-cache.js';
import { defineConfig } from 'vitest/config';
import { threadEnvironment } from './src/kernel/compile-cache.ts';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/postgres-cluster.ts'],
    exclude: ['test/faults/**', 'test/stress/**', 'test/browser/**', 'node_modules/**'],
    // A promise that is never kept must fail its test, not hang the run.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    // Threads of hundreds of worlds take their code compiled, as those of the program do.
    env: threadEnvironment(),
    // An event that is promised soon is waited for ten times as long and longer, on a busy machine too.
    expect: { poll: { timeout: 15_000 } },
    // Processes, not threads: tests change the umask, open thousands of files and start workers of their own.
    pool: 'forks',
    // One more than the two cores that it is measured on: a third of its time a file waits, for leases and timeouts.
    maxWorkers: 3,
  },
});
