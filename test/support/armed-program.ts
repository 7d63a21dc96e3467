/**
 * The program in a process of its own, as `strongroom serve --json` runs it, that arms the failpoints of
 * `TEST_FAILPOINTS` when it gets SIGUSR2.
 */
import { loadConfig } from '../../src/kernel/config.ts';
import { armFailpoints } from '../../src/kernel/tenants/failpoints.ts';
import { startProgram } from '../../src/server/program.ts';

process.on('SIGUSR2', () => armFailpoints(process.env.TEST_FAILPOINTS ?? ''));
const program = await startProgram(loadConfig({ env: process.env }).config);
process.stdout.write(`${JSON.stringify({ setup_token: program.setupToken })}\n`);
process.stdout.write(`${JSON.stringify({ listening: program.address })}\n`);
