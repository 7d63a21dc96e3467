/** What the client throws when the server refuses: the problem document, as an error. */
import type { Problem } from '../kernel/contract.ts';

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  /** Stable and snake_case: what programs decide by. */
  readonly code: string;
  readonly problem: Problem;
  /** Seconds after which trying again makes sense, where the server said so. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, retryAfter?: number) {
    const fields = (problem.errors ?? []).map((error) => `${error.path}: ${error.message}`).join('; ');
    super(fields === '' ? problem.detail : `${problem.detail} (${fields})`);
    this.status = problem.status;
    this.code = problem.code;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }
}

/** The problem of an answer; one is made up where something in between answered without a document. */
export async function problemErrorOf(answer: Response): Promise<ProblemError> {
  const after = Number(answer.headers.get('retry-after') ?? Number.NaN);
  const retryAfter = Number.isFinite(after) ? after : undefined;
  return problemErrorFrom(answer.status, await answer.text(), retryAfter);
}

/** The same from a status and a text, for answers that did not come through `fetch`. */
export function problemErrorFrom(status: number, text: string, retryAfter?: number): ProblemError {
  let given: Partial<Problem> = {};
  try {
    given = JSON.parse(text) as Partial<Problem>;
  } catch {
    // Not one of ours (a proxy's page, or nothing): the status is all there is.
  }
  const problem = {
    type: 'about:blank',
    title: 'Refused',
    status,
    detail: `The server answered ${status}.`,
    code: 'unknown',
    instance: '',
    ...given,
  };
  return new ProblemError(problem, retryAfter);
}
