/** How long a page was busy at a stretch while something was done: by the clock, and by the processor's time. */
import type { Page } from 'playwright-core';

export interface LongestTask {
  /** Milliseconds by the clock: what somebody feels, and what the browser calls a long task. 0 below 50. */
  readonly wall: number;
  /** Milliseconds of the processor: the same where other programs want it too. */
  readonly cpu: number;
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds on the processor. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

export async function longestTask(page: Page, act: () => Promise<void>): Promise<LongestTask> {
  const browser = page.context().browser()!;
  await browser.startTracing(page, { categories: ['toplevel'] });
  await page.evaluate(() => {
    const seen: number[] = [];
    Object.assign(window, { longTasks: seen });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) seen.push(duration);
    }).observe({ type: 'longtask' });
  });
  await act();
  // The observer hears of a task after it has ended.
  await page.waitForTimeout(300);
  const seen = await page.evaluate(() => (window as unknown as { longTasks: number[] }).longTasks);
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const thread = ({ pid, tid }: TraceEvent) => `${pid}/${tid}`;
  const mains = new Set(traceEvents.filter(({ args }) => args?.name === 'CrRendererMain').map(thread));
  const tasks = traceEvents.filter((event) => event.name.endsWith('RunTask') && mains.has(thread(event)));
  if (tasks.length === 0) throw new Error('the trace has no task of a page');
  const cpu = tasks.reduce((most, { tdur = 0 }) => Math.max(most, tdur), 0) / 1_000;
  return { wall: Math.max(0, ...seen), cpu };
}
