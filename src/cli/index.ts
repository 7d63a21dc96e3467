/**
 * The command line: `main` runs one command and sets the exit code.
 *
 * The program runs unbuilt, so most of a short command would be reading TypeScript. Node keeps what it has compiled in
 * a folder of the package, where nobody but who installed it can write; where that cannot be, it compiles again.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** @param args the words behind `strongroom` */
export async function main(args: readonly string[]): Promise<void> {
  enableCompileCache(fileURLToPath(new URL('../../node_modules/.cache/compiled/', import.meta.url)));
  // Behind the line above, so that they are kept as well.
  if (args[0] === 'migrate') {
    const { answerMigrateAtAGlance } = await import('./glance.ts');
    try {
      if (answerMigrateAtAGlance(args, process.env, (text) => process.stdout.write(`${text}\n`))) return;
    } catch {
      // A mistake in the configuration: the command says it in full.
    }
  }
  const { run } = await import('./run.ts');
  await run(args);
}
