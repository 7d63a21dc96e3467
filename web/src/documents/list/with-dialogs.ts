/** Questions and lists that open over the page: loaded when the first of them is wanted. */
import { showProblem } from '../../kit/toast.tsx';

type Dialogs = typeof import('./dialogs.tsx') & typeof import('./failure-list.tsx');

export function withDialogs(open: (dialogs: Dialogs) => void): void {
  Promise.all([import('./dialogs.tsx'), import('./failure-list.tsx')])
    .then(([questions, failures]) => open({ ...questions, ...failures }))
    .catch(showProblem);
}
