/** The head of the page of one document: the way back, what it is, and what can be done with it. */
import { ActionIcon, Button, Group, Menu, Text, Tooltip, UnstyledButton } from '@mantine/core';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { useFormats } from '../../kit/formats.ts';
import { Icon, type IconName } from '../../kit/icon.tsx';
import { directionOf, useLanguage } from '../../kit/language.ts';
import { useTexts } from '../../kit/texts.ts';
import classes from './document-page.module.css';
import type { Neighbours } from './neighbours.ts';
import { documentTexts } from './texts.ts';

export function About({ document, onBack }: { document: Document; onBack: () => void }) {
  const t = useTexts(documentTexts);
  const formats = useFormats();
  const mirrored = directionOf(useLanguage()) === 'rtl';
  return (
    <Group gap="sm">
      <UnstyledButton className={classes.back ?? ''} onClick={onBack}>
        <Icon name="back" size={16} flip={mirrored} />
        <Text span size="sm">
          {t('page.back')}
        </Text>
      </UnstyledButton>
      <span>{formats.size(document.size_bytes)}</span>
      <span>{t('page.version', { version: document.version })}</span>
    </Group>
  );
}

export interface ActionsProps {
  readonly neighbours: Neighbours;
  readonly previous: (() => void) | undefined;
  readonly next: (() => void) | undefined;
  readonly download: () => void;
  readonly trash: (() => void) | undefined;
  readonly copyLink: () => void;
}

export function Actions({ neighbours, previous, next, download, trash, copyLink }: ActionsProps) {
  const t = useTexts(documentTexts);
  const mirrored = directionOf(useLanguage()) === 'rtl';
  const { place, count } = neighbours;
  return (
    <>
      {place === 0 ? null : (
        <Group gap={4} wrap="nowrap">
          <Step icon="back" flip={mirrored} label={t('page.previous')} run={previous} />
          <Text size="sm" c="dimmed">
            {t('page.place', { place, count })}
          </Text>
          <Step icon="back" flip={!mirrored} label={t('page.next')} run={next} />
        </Group>
      )}
      <Group gap="xs" wrap="nowrap">
        <Button leftSection={<Icon name="download" />} onClick={download}>
          {t('page.download')}
        </Button>
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <ActionIcon variant="default" size="lg" aria-label={t('page.actions')}>
              <Icon name="dots" />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item leftSection={<Icon name="link" />} onClick={copyLink}>
              {t('page.copyLink')}
            </Menu.Item>
            {trash === undefined ? null : (
              <Menu.Item leftSection={<Icon name="trash" />} color="red" onClick={trash}>
                {t('page.trash')}
              </Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
      </Group>
    </>
  );
}

interface StepProps {
  readonly icon: IconName;
  readonly flip: boolean;
  readonly label: string;
  readonly run: (() => void) | undefined;
}

function Step({ icon, flip, label, run }: StepProps) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size="lg" aria-label={label} disabled={run === undefined} onClick={run}>
        <Icon name={icon} flip={flip} />
      </ActionIcon>
    </Tooltip>
  );
}
