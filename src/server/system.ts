/** Handlers of the routes that belong to no module. */
import { StrongroomError } from '../kernel/errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type BoundRoutes, bind } from '../kernel/module.ts';
import { systemContract } from './contract.ts';
import { allowMetrics, type Metrics } from './metrics.ts';
import { docsPage } from './pages/docs.ts';
import type { Page } from './pages/page.ts';

export interface SystemParts {
  readonly kernel: Pick<Kernel, 'config' | 'tenants' | 'files'>;
  readonly metrics: Metrics;
  /** The OpenAPI document as JSON; made when it is first asked for. */
  readonly openapi: () => string;
  /** The page of the web app. */
  readonly page: () => Page;
}

const readyWithinMs = 2_000;
const jsonHeaders = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' } as const;

export function systemRoutes({ kernel, metrics, openapi, page }: SystemParts): BoundRoutes {
  const ok = { status: 200, body: { status: 'ok' } } as const;
  const show = (made: () => Page) => async () => {
    const { html, headers } = made();
    return { status: 200 as const, headers, body: html };
  };
  const showApp = show(page);
  return bind(systemContract, {
    health: async () => ok,
    apiHealth: async () => ok,
    async ready() {
      await dependenciesAnswer(kernel);
      return { status: 200, body: { status: 'ready' } } as const;
    },
    async metrics({ caller, request }) {
      allowMetrics(kernel.config.metricsToken, caller, request);
      return {
        status: 200,
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
        body: await metrics.text(),
      } as const;
    },
    openapi: async () => ({ status: 200, headers: jsonHeaders, body: openapi() }) as const,
    docs: show(() => docsPage),
    landingPage: showApp,
    setupPage: showApp,
    invitationPage: showApp,
    invitationPageByPath: showApp,
    resetPasswordPage: showApp,
    resetPasswordPageByPath: showApp,
  });
}

/** @throws unavailable `not_ready`, in time whatever hangs, and without a name of what failed */
async function dependenciesAnswer(kernel: SystemParts['kernel']): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('dependencies did not answer in time')), readyWithinMs);
  });
  const look = async () => {
    const [store] = await Promise.all([kernel.files.check(), kernel.tenants.count()]);
    if (!store.ok) throw new Error(store.reason);
  };
  try {
    await Promise.race([look(), late]);
  } catch (cause) {
    throw new StrongroomError('unavailable', 'not_ready', 'A dependency does not answer.', { retryAfter: 2, cause });
  } finally {
    clearTimeout(timer);
  }
}
