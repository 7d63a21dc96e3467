/**
 * Documents: what a company's people keep, in versions, in baskets, shared and looked up by role. The front door.
 *
 * Bytes are in the company's own bucket, everything about them in its own database. What each service promises stands
 * at the head of its file.
 */
import type { Listeners } from '../../kernel/events.ts';
import type { Tenant } from '../../kernel/handles.ts';
import { createIsolated } from '../../kernel/isolated/isolated.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { Module } from '../../kernel/module.ts';
import type { Accounts } from '../accounts/index.ts';
import { documentsMigrations } from './migrations/index.ts';
import { readStats } from './repository/figures.ts';
import { readUsage, type UsageRow } from './repository/files.ts';
import { documentRoutes } from './routes.ts';
import { type Archives, createArchives } from './service/archive.ts';
import {
  type Baskets,
  createBaskets,
  createSettings,
  createShares,
  type DocumentSettingsRules,
  type Shares,
} from './service/baskets.ts';
import { type Bulk, createBulk } from './service/bulk.ts';
import { createContent } from './service/content.ts';
import { createDocumentRules, type Documents as DocumentRules } from './service/documents.ts';
import { createDownloads, type Downloads } from './service/download.ts';
import { examineDocuments } from './service/examine.ts';
import { type CountingJobs, createCounting } from './service/figures.ts';
import { createInHand } from './service/in-hand.ts';
import { renderJob } from './service/render.ts';
import { createRenditions, type Renditions } from './service/renditions.ts';
import { createResumables, type Resumables } from './service/resumable.ts';
import { documentSchedules } from './service/sweep.ts';
import { createUploads, type Uploads } from './service/upload.ts';
import './tables.ts';

export { documentsContract } from './contract.ts';
export { type Acting, actingOf } from './service/acting.ts';
export { uploadsContract } from './upload-contract.ts';
export { documentsMigrations };

export interface DocumentServices {
  readonly documents: DocumentRules;
  readonly uploads: Uploads;
  readonly downloads: Downloads;
  readonly resumables: Resumables;
  readonly baskets: Baskets;
  readonly shares: Shares;
  readonly settings: DocumentSettingsRules;
  readonly renditions: Renditions;
  readonly bulk: Bulk;
  readonly archives: Archives;
}

export interface DocumentStats {
  /** Not in the trash. */
  readonly documents: number;
  /** Objects that something refers to. */
  readonly files: number;
  /** Logical bytes of all versions, in the trash too. */
  readonly bytes: number;
  /** Time of the last change of a document, ISO 8601. */
  readonly lastActivityAt: string | null;
}

export interface Documents extends DocumentServices {
  readonly module: Module;
  stats(tenant: Tenant): Promise<DocumentStats>;
  usage(tenant: Tenant): Promise<UsageRow>;
}

/** @param left the modules to the left; accounts then shows a company's usage beside its settings */
export function createDocuments(kernel: Kernel, left: { readonly accounts: Pick<Accounts, 'usage'> }): Documents {
  const stats = (tenant: Tenant) => readStats(tenant.db.read);
  left.accounts.usage = stats;
  const inHand = createInHand();
  const content = createContent(kernel, inHand);
  const services: DocumentServices = {
    documents: createDocumentRules(kernel),
    uploads: createUploads(kernel, content, inHand),
    downloads: createDownloads(kernel),
    resumables: createResumables(kernel, content, inHand),
    baskets: createBaskets(kernel),
    shares: createShares(kernel),
    settings: createSettings(kernel),
    renditions: createRenditions(kernel),
    bulk: createBulk(kernel),
    archives: createArchives(kernel),
  };
  const counting = createCounting(kernel);
  return {
    ...services,
    stats,
    usage: (tenant) => readUsage(tenant.db.read),
    module: {
      name: 'documents',
      routes: documentRoutes(services, kernel.config.maxUploadBytes),
      controlMigrations: [],
      tenantMigrations: documentsMigrations.tenantMigrations,
      listeners: listenersOf(services.renditions, counting),
      jobs: { 'document.render': renderJob(kernel, inHand, createIsolated()), 'documents.count': counting.job },
      schedules: documentSchedules(kernel, inHand),
      examine: (tenant, options) =>
        examineDocuments(tenant, inHand, { ...options, renew: (key) => services.renditions.renew(tenant, key) }),
    },
  };
}

/** A version that appears is made to be shown; whatever changes how many and how large they are is counted. */
function listenersOf(renditions: Renditions, counting: CountingJobs): Listeners {
  const appeared = async (...[tenant, event]: Parameters<Renditions['heard']>) => {
    await renditions.heard(tenant, event);
    await counting.heard(tenant);
  };
  return {
    'document.created': appeared,
    'document.version_added': appeared,
    'document.trashed': counting.heard,
    'document.restored': counting.heard,
    'document.purged': counting.heard,
  };
}
