/** What `strongroom migrate` says: a line while it goes on, and the report at the end. */
import type { MigrationPlan, MigrationRun } from '../../modules/fleet/contract.ts';
import type { Terminal } from '../terminal.ts';

export function printPlan(plan: MigrationPlan, terminal: Terminal): void {
  terminal.print(`The head is ${plan.head}; ${plan.behind} companies are behind.`);
  if (plan.items.length === 0) return;
  terminal.printTable(
    plan.items,
    [
      { title: 'COMPANY', value: (item) => item.slug },
      { title: 'FROM', value: (item) => item.from, align: 'right' },
      { title: 'TO', value: (item) => item.to, align: 'right' },
    ],
    '',
  );
}

export function printReport(run: MigrationRun, terminal: Terminal): void {
  terminal.print(headline(run));
  if (run.total === 0) return;
  const kinds = [...new Set(run.items.map((item) => item.placement))];
  if (kinds.length > 1) {
    const count = (kind: (typeof kinds)[number], status: string) =>
      run.items.filter((item) => item.placement === kind && item.status === status).length;
    terminal.printTable(
      kinds,
      [
        { title: 'PLACEMENT', value: (kind) => kind ?? 'gone' },
        { title: 'DONE', value: (kind) => count(kind, 'done'), align: 'right' },
        { title: 'FAILED', value: (kind) => count(kind, 'failed'), align: 'right' },
        { title: 'NOT BEGUN', value: (kind) => count(kind, 'skipped'), align: 'right' },
      ],
      '',
    );
  }
  if (run.reason !== null) terminal.print(run.reason);
  const failed = run.items.filter((item) => item.status === 'failed');
  if (failed.length > 0) {
    terminal.printTable(
      failed,
      [
        { title: 'COMPANY', value: (item) => item.slug },
        { title: 'PLACEMENT', value: (item) => item.placement },
        { title: 'REASON', value: (item) => item.reason, flexible: true },
      ],
      '',
    );
  }
  if (run.status !== 'succeeded') terminal.note('Run the command again for what is left; the others stay as they are.');
}

function headline(run: MigrationRun): string {
  if (run.total === 0) return `Every company is at ${run.head} already.`;
  const parts = [`${run.done} of ${run.total} companies are at ${run.head}`];
  if (run.failed > 0) parts.push(`${run.failed} failed`);
  if (run.skipped > 0) parts.push(`${run.skipped} were not begun`);
  const took = run.finished_at === null ? 0 : Date.parse(run.finished_at) - Date.parse(run.started_at);
  return `${parts.join(', ')}; it took ${(took / 1_000).toFixed(1)} s.`;
}

/** On a terminal one line that is written over; elsewhere a line whenever a tenth more is done. */
export function progressLine(terminal: Terminal, json: boolean) {
  let tenth = -1;
  return {
    show(run: MigrationRun) {
      if (json || run.total === 0) return;
      const text = `migrating: ${run.done} of ${run.total} done${run.failed > 0 ? `, ${run.failed} failed` : ''}`;
      if (terminal.progress.live) {
        terminal.progress.show(text);
        return;
      }
      const reached = Math.floor(((run.done + run.failed) / run.total) * 10);
      if (reached > tenth) terminal.note(text);
      tenth = reached;
    },
    end() {
      terminal.progress.end();
    },
  };
}
