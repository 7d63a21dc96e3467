/** Looks at pages: axe in both themes, and pictures in three widths and both themes, in a folder that git ignores. */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { root } from '../../support/process.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const shots = join(root, 'web/.shots');

export const widths = { phone: 390, tablet: 820, laptop: 1_360 } as const;
export type Theme = 'light' | 'dark';

interface Finding {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Goes over to a theme as the account menu does. */
export async function setTheme(page: Page, theme: Theme): Promise<void> {
  await page.evaluate((name) => {
    localStorage.setItem('strongroom.theme', name);
    window.dispatchEvent(new StorageEvent('storage', { key: 'strongroom.theme' }));
  }, theme);
  await page.waitForFunction((name) => document.documentElement.dataset.mantineColorScheme === name, theme);
  // Colours that fade are judged when they are there.
  await page.waitForTimeout(250);
}

/** Serious and critical findings of axe on the page as it stands. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: Finding[] }> } };
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    return (await axe.run({ runOnly: tags, resultTypes: ['violations'] })).violations;
  });
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary = '' }) => `${id}: ${html} ${failureSummary}`));
}

/** No serious or critical finding in either theme. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await setTheme(page, theme);
    expect(await findings(page), `${new URL(page.url()).pathname} in ${theme}`).toEqual([]);
  }
}

/** By how many pixels the page hangs over the side of the window. */
export const hangsOver = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Nothing hangs over the side of the window. */
export async function expectNoSideways(page: Page): Promise<void> {
  expect(await hangsOver(page), `${new URL(page.url()).pathname} hangs over`).toBeLessThanOrEqual(0);
}

/**
 * Texts on the page that no translation made: in the pseudo-locale every one of ours stands in ⟦ ⟧. What people and
 * machines named stands in `<bdi>` and `<code>`; attributes and options cannot, so what may stand there is given.
 */
export async function untranslated(page: Page, names: readonly string[] = []): Promise<string[]> {
  return page.evaluate((given) => {
    const known = /^(QP|Strongroom|English|Deutsch|PDF|PNG|JPEG|TXT|CSV|Markdown|Word|Excel|PowerPoint|ZIP|[\W\d_]*)$/;
    const verbatim = 'script,style,noscript,code,kbd,bdi,pre,[data-verbatim],[aria-hidden="true"]';
    const found = new Set<string>();
    const check = (text: string, where = '') => {
      if (text !== '' && !text.includes('⟦') && !known.test(text)) found.add(where + text);
    };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
      const text = node.textContent?.trim() ?? '';
      // Nothing but text may stand in an option.
      const option = node.parentElement?.closest('option,[role="option"]') ?? null;
      if (option !== null && given.some((name) => text.includes(name))) continue;
      if (node.parentElement?.closest(verbatim) === null) check(text);
    }
    for (const name of ['aria-label', 'aria-description', 'placeholder', 'title', 'alt']) {
      for (const element of document.querySelectorAll(`[${name}]`)) {
        const text = element.getAttribute(name) ?? '';
        if (element.closest('[data-verbatim],[aria-hidden="true"]') === null && !given.includes(text))
          check(text, `${name}: `);
      }
    }
    check(document.title, 'title of the window: ');
    return [...found];
  }, names);
}

/** Six pictures of the page: `<name>-<width>-<theme>.png`. */
export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(shots, { recursive: true });
  const before = page.viewportSize();
  for (const [size, width] of Object.entries(widths)) {
    await page.setViewportSize({ width, height: size === 'phone' ? 844 : 860 });
    for (const theme of ['light', 'dark'] as const) {
      await setTheme(page, theme);
      await expectNoSideways(page);
      await page.screenshot({ path: join(shots, `${name}-${size}-${theme}.png`), animations: 'disabled' });
    }
  }
  await setTheme(page, 'light');
  if (before !== null) await page.setViewportSize(before);
}

/** A page of the app, with axe and pictures: what every page must pass. */
export async function look(page: Page, name: string): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await expectAccessible(page);
  await picture(page, name);
}
