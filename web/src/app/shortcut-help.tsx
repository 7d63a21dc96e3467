/** The shortcuts that hold right now, on this page and everywhere. */
import { Group, Kbd, Modal, Stack, Table, Text } from '@mantine/core';
import { appTexts } from '../kit/app-texts.ts';
import { keyNames, singleKeysOff, useShortcuts } from '../kit/shortcuts.ts';
import { useTexts } from '../kit/texts.ts';

export function ShortcutHelp({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const t = useTexts(appTexts);
  const shortcuts = useShortcuts();
  return (
    <Modal opened={opened} onClose={onClose} title={t('app.help')}>
      <Stack gap="lg">
        {(['page', 'everywhere'] as const).map((scope) => {
          const own = shortcuts.filter((shortcut) => shortcut.scope === scope);
          if (own.length === 0) return null;
          return (
            <Table key={scope} verticalSpacing={6}>
              <Table.Caption style={{ captionSide: 'top', textAlign: 'start' }}>
                {t(scope === 'page' ? 'app.help.page' : 'app.help.everywhere')}
              </Table.Caption>
              <Table.Tbody>
                {own.map(({ keys, label }) => (
                  <Table.Tr key={keys}>
                    <Table.Td>{label}</Table.Td>
                    <Table.Td>
                      <Group gap={4} justify="flex-end">
                        {keyNames(keys).map((key) => (
                          <Kbd key={key}>{key}</Kbd>
                        ))}
                      </Group>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          );
        })}
        {singleKeysOff() ? <Text size="sm">{t('app.help.off')}</Text> : null}
      </Stack>
    </Modal>
  );
}
