/**
 * Uploads a new version with progress, and a way to give up. Where somebody else was quicker the server refuses by the
 * tag of the content, and the person decides.
 */
import { Alert, Button, FileButton, Group, Progress, Stack, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { ProblemError } from '../../../../../src/client/index.ts';
import { client } from '../../../app/session.ts';
import { appTexts } from '../../../kit/app-texts.ts';
import { useFormats } from '../../../kit/formats.ts';
import { Icon } from '../../../kit/icon.tsx';
import { ProblemAlert } from '../../../kit/problem.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { showDone } from '../../../kit/toast.tsx';
import { documentChanged, freshDocument, type Loaded } from '../queries.ts';
import { documentTexts } from '../texts.ts';

interface Sending {
  readonly file: File;
  readonly sent: number;
  readonly abort: AbortController;
}

export function NewVersion({ loaded, onDone }: { loaded: Loaded; onDone: () => void }) {
  const t = useTexts(documentTexts);
  const { document, etag } = loaded;
  const queries = useQueryClient();
  const [sending, setSending] = useState<Sending>();
  const [problem, setProblem] = useState<unknown>();
  const [overtaken, setOvertaken] = useState<File>();
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);
  const send = async (file: File, tag: string | undefined) => {
    abort.current = new AbortController();
    const { signal } = abort.current;
    const now = { file, abort: abort.current };
    setProblem(undefined);
    setOvertaken(undefined);
    setSending({ ...now, sent: 0 });
    try {
      const { version } = await client.documents.upload(file, {
        filename: file.name,
        versionOf: document.id,
        ...(tag === undefined ? {} : { ifMatch: tag }),
        onProgress: ({ sentBytes }) => setSending({ ...now, sent: Math.min(file.size, sentBytes) }),
        signal,
      });
      onDone();
      showDone(t('versions.uploaded', { version }));
      await documentChanged(queries, document.id);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ProblemError && error.code === 'etag_mismatch') {
        setOvertaken(file);
        await documentChanged(queries, document.id);
      } else setProblem(error);
    } finally {
      setSending(undefined);
    }
  };
  return (
    <Stack gap="xs">
      {sending === undefined ? (
        <FileButton onChange={(file) => file !== null && void send(file, etag)}>
          {(props) => (
            <Button {...props} variant="light" leftSection={<Icon name="upload" />}>
              {t('versions.upload')}
            </Button>
          )}
        </FileButton>
      ) : (
        <Sent of={sending} />
      )}
      <ProblemAlert error={problem} />
      {overtaken === undefined ? null : (
        <Alert role="alert" color="red" variant="light" icon={<Icon name="alert" />} p="sm">
          <Text size="sm">{t('versions.replaced')}</Text>
          <Button
            mt="xs"
            size="xs"
            variant="default"
            onClick={async () => void send(overtaken, (await freshDocument(document.id)).etag)}
          >
            {t('versions.again')}
          </Button>
        </Alert>
      )}
    </Stack>
  );
}

function Sent({ of: { file, sent, abort } }: { of: Sending }) {
  const t = useTexts(documentTexts);
  const app = useTexts(appTexts);
  const formats = useFormats();
  const share = file.size === 0 ? 1 : sent / file.size;
  const label = t('versions.uploading', { name: file.name });
  return (
    <Stack gap={4}>
      <Group justify="space-between" wrap="nowrap">
        <Text size="sm" truncate>
          <bdi>{label}</bdi>
        </Text>
        <Button size="compact-xs" variant="subtle" onClick={() => abort.abort()}>
          {app('app.cancel')}
        </Button>
      </Group>
      <Progress value={share * 100} aria-label={label} animated={share >= 1} />
      <Text size="xs" c="dimmed" role="status">
        {share >= 1
          ? t('versions.stored')
          : t('versions.progress', {
              percent: formats.percent(share),
              sent: formats.size(sent),
              total: formats.size(file.size),
            })}
      </Text>
    </Stack>
  );
}
