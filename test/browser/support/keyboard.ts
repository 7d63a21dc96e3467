/** A person with a keyboard and nothing else: goes by Tab, and sees at every stop where the focus is. */
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';

/** What can be seen of the focus; `undefined` where everything is right. */
async function faultOfFocus(page: Page): Promise<string | undefined> {
  return page.evaluate(() => {
    const at = document.activeElement;
    if (!(at instanceof HTMLElement) || at === document.body) return undefined;
    const name = `${at.tagName} ${at.getAttribute('aria-label') ?? at.textContent?.slice(0, 40) ?? ''}`;
    if (!at.matches(':focus-visible')) return `${name}: the focus is not shown`;
    // Boxes and fields of passwords are drawn by what is around them.
    const around = [at, at.parentElement, at.parentElement?.parentElement, at.nextElementSibling];
    const ring = around.some((one) => {
      if (!(one instanceof HTMLElement)) return false;
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(one);
      return outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2 && !/, 0\)$/.test(outlineColor);
    });
    if (!ring) return `${name}: no ring round it`;
    const { top, bottom, left, right } = at.getBoundingClientRect();
    const inSight = bottom > 0 && right > 0 && top < innerHeight && left < innerWidth;
    return inSight ? undefined : `${name}: out of sight`;
  });
}

export async function expectFocusSeen(page: Page): Promise<void> {
  // What slides or scrolls into sight is judged when it is there.
  await expect.poll(() => faultOfFocus(page), { timeout: 3_000 }).toBeUndefined();
}

export async function isFocused(target: Locator): Promise<boolean> {
  return (await target.count()) === 1 && (await target.evaluate((element) => element === document.activeElement));
}

export async function expectFocused(target: Locator): Promise<void> {
  await expect.poll(() => isFocused(target), { timeout: 10_000, message: `the focus is on ${target}` }).toBe(true);
}

/** Presses Tab until the focus is there; it must be seen at every stop. @throws where it is not reached */
export async function tabTo(page: Page, target: Locator, keys: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  await target.waitFor({ state: 'attached' });
  for (let stops = 0; stops < 80; stops += 1) {
    if (await isFocused(target)) return;
    await page.keyboard.press(keys);
    await expectFocusSeen(page);
  }
  throw new Error(`not reached by ${keys}: ${target}`);
}

/** Counts what only a pointer does; asked for at the end. */
export async function watchPointer(page: Page): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    for (const type of ['pointerdown', 'mousedown', 'touchstart']) {
      window.addEventListener(type, () => {
        sessionStorage.setItem('pointer', String(Number(sessionStorage.getItem('pointer') ?? 0) + 1));
      });
    }
  });
  return () => page.evaluate(() => Number(sessionStorage.getItem('pointer') ?? 0));
}
