/** The steps of an operation as they stand in the journal, told to screen readers as they go on. */
import { Loader, Text } from '@mantine/core';
import type { z } from 'zod';
import type { CompanyOperation } from '../../../src/modules/fleet/contract.ts';
import { Icon, type IconName } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import type { StepStatus } from './badges.tsx';
import classes from './fleet.module.css';
import { fleetTexts, knownSteps } from './texts.ts';

export type Operation = z.output<typeof CompanyOperation>;

const signs: Readonly<Record<Exclude<StepStatus, 'running'>, IconName>> = {
  done: 'check',
  failed: 'alert',
  pending: 'clock',
  undone: 'restore',
};

/** A step as people call it; one that we do not know is shown as the journal writes it. */
export function useStepName(): (name: string) => string {
  const t = useTexts(fleetTexts);
  return (name) => {
    const known = knownSteps.find((step) => step === name);
    return known === undefined ? name : t(`step.${known}`);
  };
}

export function Steps({ operation }: { operation: Operation }) {
  const t = useTexts(fleetTexts);
  const nameOf = useStepName();
  return (
    <ol className={classes.steps}>
      {operation.steps.map(({ name, status, started_at: began, finished_at: ended, reason }) => (
        <li key={name} className={classes.step} data-step={name} data-status={status}>
          <span className={classes.sign} data-status={status}>
            {status === 'running' ? <Loader size={14} aria-hidden /> : <Icon name={signs[status]} size={16} />}
          </span>
          <Text size="sm" component="span" className={classes.stepName ?? ''}>
            {nameOf(name)}
          </Text>
          <Text size="xs" c="dimmed" component="span">
            {t(`state.${status}`)}
            {began === null || ended === null
              ? ''
              : ` · ${t('journal.ms', { ms: Date.parse(ended) - Date.parse(began) })}`}
          </Text>
          {reason === null ? null : (
            <Text size="sm" c="var(--mantine-color-error)" w="100%">
              {reason}
            </Text>
          )}
        </li>
      ))}
    </ol>
  );
}
