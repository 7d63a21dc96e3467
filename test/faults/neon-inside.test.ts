/**
 * Creation and removal at Neon killed (-9) while the API is in the middle of a call, which goes on without the process that
 * asked for it. A working company or nothing, and no project that nobody owns.
 */
import { expect, onTestFinished, test } from 'vitest';
import { useNeonAlone } from '../neon/breaking-off.ts';
import { firstLine, startVerb } from '../support/held-statement.ts';
import { testFolder } from '../support/kernel.ts';
import { expectSettled } from '../support/lifecycle-faults.ts';

const atNeon = useNeonAlone();

const calls = [
  ['POST /projects', 'create', 'project', 'working'],
  ['DELETE /projects/{}', 'purge', 'project', 'nothing'],
  ['POST /projects', 'create', 'database', 'working'],
  ['POST /projects/{}/branches/{}/databases', 'create', 'database', 'working'],
  ['DELETE /projects/{}/branches/{}/databases/{}', 'purge', 'database', 'nothing'],
] as const;

test.each(calls.flatMap((call) => [[...call, 0] as const, [...call, 700] as const]))(
  'inside %s of a %s, a %s a company: %s, the call ending %s ms later',
  async (on, scenario, mode, end, later) => {
    const { standIn } = atNeon.neon;
    const elsewhere = atNeon(mode);
    const dataDir = testFolder();
    standIn.calls.length = 0;
    standIn.fault({ on, answer: 'none', works: 'when told' });
    const child = startVerb(dataDir, scenario, 'place.neon.none', elsewhere);
    const over = new Promise<void>((resolve) => child.once('close', () => resolve()));
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await over;
    });
    const id = await firstLine(child);
    await expect.poll(() => standIn.calls, { timeout: 30_000 }).toContain(`${on} none`);
    child.kill('SIGKILL');
    await over;
    // At once, or while the next process is already at work.
    const finished = new Promise((resolve) => setTimeout(resolve, later)).then(standIn.finish);
    if (later === 0) await finished;
    await expectSettled({ dataDir, scenario, end, id, elsewhere });
    await finished;
  },
);
