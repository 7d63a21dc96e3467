/** What stayed as it was after something was done with documents, and why: one at the edge, more in a list. */
import { ProblemError } from '../../../../src/client/index.ts';
import type { Translate } from '../../kit/texts.ts';
import { showProblem } from '../../kit/toast.tsx';
import type { DocumentsKey } from '../texts.ts';
import type { Failure } from './bulk.ts';
import { withDialogs } from './with-dialogs.ts';

const known: Readonly<Record<string, DocumentsKey>> = {
  not_found: 'why.not_found',
  forbidden: 'why.forbidden',
  filename_taken: 'why.filename_taken',
  too_many_tags: 'why.too_many_tags',
  network: 'why.network',
};

function reasonText(t: Translate<DocumentsKey>, { code, why }: Failure): string {
  const key = known[code];
  return key === undefined ? why : t(key);
}

/** A refusal that is said in our own words. */
export function showRefusal(detail: string, code = 'refused'): void {
  showProblem(new ProblemError({ type: 'about:blank', title: '', status: 409, detail, code, instance: '' }));
}

/** One is said at the edge; more are listed. */
export function tellFailures(t: Translate<DocumentsKey>, failed: readonly Failure[]): void {
  const [first] = failed;
  if (first === undefined) return;
  if (failed.length === 1) {
    const why = reasonText(t, first);
    const name = first.filename;
    showRefusal(name === undefined ? why : t('bulk.failedOne', { name, why }), first.code);
    return;
  }
  const groups = Map.groupBy(failed, (failure) => reasonText(t, failure));
  withDialogs(({ listFailures }) => listFailures(t('bulk.failedTitle', { count: failed.length }), groups));
}
