/** Every contract of the product, in the order of the reference. */
import type { Contract } from '../../kernel/contract.ts';
import { authContract } from '../../modules/accounts/auth-contract.ts';
import { peopleContract } from '../../modules/accounts/people-contract.ts';
import { documentsContract } from '../../modules/documents/contract.ts';
import { uploadsContract } from '../../modules/documents/upload-contract.ts';
import { fleetContract } from '../../modules/fleet/contract.ts';
import { systemContract } from '../../server/contract.ts';

export const contracts: readonly { readonly title: string; readonly contract: Contract }[] = [
  { title: 'Health and documentation', contract: systemContract },
  { title: 'Signing in', contract: authContract },
  { title: 'People', contract: peopleContract },
  { title: 'Companies and the installation', contract: fleetContract },
  { title: 'Documents', contract: documentsContract },
  { title: 'Resumable uploads', contract: uploadsContract },
];
