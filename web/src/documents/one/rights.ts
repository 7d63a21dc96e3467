/**
 * What the person may do with the document, as far as it can be known beforehand: who is not told with whom it is shared
 * does not manage it. What cannot be known is tried, and the server's refusal shown.
 */
import { useQuery } from '@tanstack/react-query';
import { ProblemError } from '../../../../src/client/index.ts';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { client, useSignedIn } from '../../app/session.ts';
import { documentKey } from './queries.ts';

export function useShares(id: string) {
  return useQuery({
    queryKey: [...documentKey(id), 'shares'],
    queryFn: ({ signal }) => client.documents.listDocumentShares({ params: { id }, signal }),
  });
}

export interface Rights {
  /** Trash and move. */
  readonly manages: boolean;
  /** Share and purge. */
  readonly full: boolean;
  readonly known: boolean;
}

export const isForbidden = (error: unknown): boolean => error instanceof ProblemError && error.status === 403;

export function useRights(document: Document): Rights {
  const { user } = useSignedIn();
  const shares = useShares(document.id);
  const full = document.owner.id === user.id || user.permissions.includes('MANAGE_COMPANY_USERS');
  const known = full || shares.isSuccess || isForbidden(shares.error);
  return { full, manages: full || shares.isSuccess, known };
}
