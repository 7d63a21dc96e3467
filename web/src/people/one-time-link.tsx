/** A link that is shown once: to be copied by a button, or by hand where the browser keeps the clipboard closed. */
import { Button, CopyButton, Group, Text, TextInput } from '@mantine/core';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { peopleTexts } from './texts.ts';

export function OneTimeLink({ name, url, expiresAt }: { name: string; url: string; expiresAt: string }) {
  const t = useTexts(peopleTexts);
  const formats = useFormats();
  return (
    <div>
      <Group align="flex-end" gap="xs" wrap="nowrap">
        <TextInput
          flex={1}
          readOnly
          label={t('link.label', { name })}
          value={url}
          onFocus={(event) => event.currentTarget.select()}
        />
        <CopyButton value={url} timeout={4_000}>
          {({ copied, copy }) => (
            <Button
              variant={copied ? 'light' : 'filled'}
              onClick={copy}
              leftSection={<Icon name={copied ? 'check' : 'copy'} size={16} />}
            >
              {t(copied ? 'link.copied' : 'link.copy')}
            </Button>
          )}
        </CopyButton>
      </Group>
      <Text size="xs" c="dimmed" mt={4}>
        {t('link.once', { date: formats.time(expiresAt) })}
      </Text>
    </div>
  );
}
