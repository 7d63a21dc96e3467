/** The command line: `main` runs one command and sets the exit code. */

/** @param args the words behind `strongroom` */
export async function main(args: readonly string[]): Promise<void> {
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
