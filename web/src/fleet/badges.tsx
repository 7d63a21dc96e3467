/** States in words and colours; never in colours alone. Plain elements: lists draw them by the hundred. */
import { useQuery } from '@tanstack/react-query';
import { RowLink } from '../kit/row-link.tsx';
import { useTexts } from '../kit/texts.ts';
import classes from './fleet.module.css';
import type { CompanyState, ItemStatus, RunStatus } from './kinds.ts';
import { companyNameQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

export type StepStatus = 'pending' | 'running' | 'done' | 'failed' | 'undone';

const tones = {
  active: 'good',
  creating: 'busy',
  suspended: 'calm',
  deleting: 'bad',
  purging: 'bad',
  failed: 'bad',
  running: 'busy',
  succeeded: 'good',
  done: 'good',
  stopped: 'calm',
  undone: 'calm',
  pending: 'calm',
  waiting: 'calm',
  skipped: 'calm',
} as const;

export function StateBadge({ state }: { state: CompanyState | ItemStatus | RunStatus | StepStatus }) {
  const t = useTexts(fleetTexts);
  return (
    <span className={classes.badge} data-tone={tones[state]}>
      {t(`state.${state}`)}
    </span>
  );
}

/** A company's name that leads to its page; its id until the name is known. */
export function CompanyLink({ id, name }: { id: string; name?: string }) {
  return name === undefined ? <UnnamedLink id={id} /> : <RowLink to={`/operator/companies/${id}`}>{name}</RowLink>;
}

function UnnamedLink({ id }: { id: string }) {
  const { data } = useQuery(companyNameQuery(id));
  return <RowLink to={`/operator/companies/${id}`}>{data?.name ?? id}</RowLink>;
}
