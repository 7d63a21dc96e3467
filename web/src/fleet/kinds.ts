/** What the API calls things, as lists to choose from. Types alone come from the contract: its shapes stay out of the app. */
import type { Company, DatabaseTest, MigrationRun } from '../../../src/modules/fleet/contract.ts';

export type CompanyState = Company['status'];
export type Placement = Company['placement'];
export type Identity = DatabaseTest['identity'];
export type ItemStatus = MigrationRun['items'][number]['status'];
export type RunStatus = MigrationRun['status'];

export const companyStates = ['active', 'suspended', 'creating', 'deleting', 'purging', 'failed'] as const;
export const placements = ['sqlite', 'schema', 'database', 'neon'] as const;
export const companySorts = ['-created_at', 'created_at', 'name', '-name'] as const;
export const itemStatuses = ['running', 'failed', 'waiting', 'done', 'skipped'] as const;

export interface CompanyListSearch {
  readonly q?: string;
  readonly status?: CompanyState;
  readonly placement?: Placement;
  readonly sort?: (typeof companySorts)[number];
}

/** The value, where it is one of the list. */
export function oneOf<T extends string>(list: readonly T[], value: unknown): T | undefined {
  return list.find((one) => one === value);
}
