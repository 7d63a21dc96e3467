/** Everything that accounts offers over HTTP, in one contract. Browser-safe. */
import { contract } from '../../kernel/contract.ts';
import { authContract } from './auth-contract.ts';
import { peopleContract } from './people-contract.ts';

export * from './auth-contract.ts';
export * from './people-contract.ts';

export const accountsContract = contract({ ...authContract, ...peopleContract });
