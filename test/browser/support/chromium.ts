/** Where a Chromium is; without one the browser suite says so and is skipped. */
import { existsSync } from 'node:fs';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export function findChromium(): string | undefined {
  const given = process.env.CHROMIUM_PATH;
  return given !== undefined && given !== '' ? given : places.find((path) => existsSync(path));
}
