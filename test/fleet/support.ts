/** For tests of the fleet: the whole program on a temporary folder, an operator who is signed in, and requests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testConfig } from '../../src/kernel/config.ts';
import type { Config } from '../../src/kernel/settings.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any;
}

export type Ask = (
  method: string,
  path: string,
  options?: { body?: unknown; token?: string | null; headers?: Readonly<Record<string, string>> },
) => Promise<Answer>;

export async function temporaryConfig(
  overrides: Partial<Config> = {},
): Promise<{ config: Config; remove: () => Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'strongroom-fleet-'));
  return { config: testConfig({ dataDir, ...overrides }), remove: () => rm(dataDir, { recursive: true, force: true }) };
}

/** Requests with this token unless they bring their own (`null` for none). */
export function asker(base: string, token: string | null): Ask {
  return async (method, path, options = {}) => {
    const sent = options.token === undefined ? token : options.token;
    const answer = await fetch(base + path, {
      method,
      headers: {
        ...(sent === null ? {} : { authorization: `Bearer ${sent}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await answer.text();
    return { status: answer.status, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
}
