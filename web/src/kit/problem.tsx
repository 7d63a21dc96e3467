/** Refusals as people read them: what it says, and the id by which the log finds it. */
import { Alert, Code, CopyButton, Group, Text, UnstyledButton } from '@mantine/core';
import { ProblemError } from '../../../src/client/index.ts';
import { appTexts } from './app-texts.ts';
import { Icon } from './icon.tsx';
import { useTexts } from './texts.ts';

export interface Told {
  readonly message: string;
  readonly requestId: string | undefined;
  readonly code: string;
}

/** What to say of any thrown thing. */
export function tell(error: unknown, words: { network: string; unexpected: string }): Told {
  if (error instanceof ProblemError) {
    const { detail, errors = [], instance } = error.problem;
    const fields = errors.map(({ message }) => message).join(' ');
    const message = error.status === 0 ? words.network : fields === '' ? detail : fields;
    return { message, requestId: instance === '' ? undefined : instance, code: error.code };
  }
  const network = error instanceof TypeError && /fetch|network|load/i.test(error.message);
  return {
    message: network ? words.network : words.unexpected,
    requestId: undefined,
    code: network ? 'network' : 'unexpected',
  };
}

export function useTold(error: unknown): Told {
  const t = useTexts(appTexts);
  return tell(error, { network: t('error.network'), unexpected: t('error.unexpected') });
}

/** Message and request id, without a frame. */
export function ProblemNote({ error }: { error: unknown }) {
  const told = useTold(error);
  return (
    <div>
      <Text size="sm">{told.message}</Text>
      {told.requestId === undefined ? null : <RequestId id={told.requestId} />}
    </div>
  );
}

export function RequestId({ id }: { id: string }) {
  const t = useTexts(appTexts);
  return (
    <Group gap={6} mt={4} wrap="wrap">
      <Text size="xs" c="dimmed">
        {t('app.requestId')}
      </Text>
      <Code>{id}</Code>
      <CopyButton value={id}>
        {({ copied, copy }) => (
          <UnstyledButton onClick={copy} aria-label={t(copied ? 'app.copied' : 'app.copy')} p={4}>
            <Icon name={copied ? 'check' : 'copy'} size={16} />
          </UnstyledButton>
        )}
      </CopyButton>
    </Group>
  );
}

/** A refusal in a frame, told to screen readers as it appears. */
export function ProblemAlert({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  return (
    <Alert role="alert" color="red" variant="light" icon={<Icon name="alert" />} p="sm">
      <ProblemNote error={error} />
    </Alert>
  );
}
