/** Once before the browser suite: builds the app as it stands, or says why nothing can be looked at. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../support/process.ts';
import { findChromium } from './chromium.ts';

export function setup(): void {
  if (findChromium() === undefined) {
    console.log('There is no Chromium (apt-get install chromium, or CHROMIUM_PATH): the browser suite is skipped.');
    return;
  }
  if (process.env.BROWSER_SUITE_BUILT === undefined) {
    execFileSync(process.execPath, [join(root, 'web/build.js')], { stdio: 'inherit' });
  }
}
