/** A link that the server tells once: shown to be handed on, never kept. */
import { Alert, Button, Code, CopyButton, Group, Stack, Text } from '@mantine/core';
import { appTexts } from '../kit/app-texts.ts';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import classes from './fleet.module.css';
import { fleetTexts } from './texts.ts';

export function OneTimeLink({ url, expiresAt, email }: { url: string; expiresAt: string; email: string }) {
  const t = useTexts(fleetTexts);
  const app = useTexts(appTexts);
  const formats = useFormats();
  return (
    <Alert variant="light" icon={<Icon name="key" />} title={t('link.title')}>
      <Stack gap="xs">
        <Text size="sm">{t('link.about', { email, date: formats.time(expiresAt) })}</Text>
        <Code block className={classes.link ?? ''} data-testid="setup-url" tabIndex={0}>
          {url}
        </Code>
        <Group>
          <CopyButton value={url}>
            {({ copied, copy }) => (
              <Button
                size="xs"
                variant="default"
                onClick={copy}
                leftSection={<Icon name={copied ? 'check' : 'copy'} size={16} />}
              >
                {copied ? app('app.copied') : t('link.copy')}
              </Button>
            )}
          </CopyButton>
        </Group>
      </Stack>
    </Alert>
  );
}
