/** The cache of what the server answered. Emptied whenever another person or company is there. */
import { QueryClient } from '@tanstack/react-query';
import { ProblemError } from '../../../src/client/index.ts';
import { currentReach, onReach } from './reach.ts';
import { onIdentity } from './session.ts';

/** A refusal stays one; what got no answer, or was told to come again, is asked for again. */
function retry(failures: number, error: unknown): boolean {
  if (failures >= 2) return false;
  return !(error instanceof ProblemError) || error.status === 503 || error.status === 502;
}

/** For so long an answer is not asked for again by itself, where a query says nothing else. */
export const staleMs = 15_000;

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      retry,
      retryDelay: (attempt, error) =>
        Math.min(
          10_000,
          error instanceof ProblemError && error.retryAfter ? error.retryAfter * 1_000 : 400 * 2 ** attempt,
        ),
      staleTime: staleMs,
      // Asked for even while the browser believes to be offline: the answer decides.
      networkMode: 'always',
    },
    mutations: { retry: false, networkMode: 'always' },
  },
});

onIdentity(() => {
  void queryClient.cancelQueries();
  queryClient.clear();
});

onReach(() => {
  if (currentReach() === 'up') void queryClient.invalidateQueries();
});
