/** What stayed as it was after something was done with many documents, by reason, with their names. */
import { List, ScrollArea, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';
import type { Failure } from './bulk.ts';

/** By the reason, in words. */
export type FailureGroups = ReadonlyMap<string, readonly Failure[]>;

/** Names of one reason that are shown; of more only how many. */
const shown = 50;

export function listFailures(title: string, groups: FailureGroups): void {
  modals.open({ title, size: 'lg', children: <Failures groups={groups} /> });
}

function Failures({ groups }: { groups: FailureGroups }) {
  const t = useTexts(documentsTexts);
  return (
    <ScrollArea.Autosize mah="60dvh" viewportProps={{ tabIndex: 0 }}>
      <Stack gap="md">
        {[...groups].map(([reason, some]) => {
          const names = some.map(({ filename }) => filename).filter((name) => name !== undefined);
          const more = some.length - Math.min(names.length, shown);
          return (
            <div key={reason}>
              <Text size="sm" fw={600}>
                {reason}
              </Text>
              <List size="sm" mt={4}>
                {names.slice(0, shown).map((name, at) => (
                  // biome-ignore lint/suspicious/noArrayIndexKey: names may be equal, and the list never changes
                  <List.Item key={at}>
                    <bdi>{name}</bdi>
                  </List.Item>
                ))}
                {more > 0 ? <List.Item>{t('bulk.more', { count: more, some: names.length })}</List.Item> : null}
              </List>
            </div>
          );
        })}
      </Stack>
    </ScrollArea.Autosize>
  );
}
