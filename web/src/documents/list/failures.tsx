/** What stayed as it was after something was done with many documents, and why: by reason, with their names. */
import { List, ScrollArea, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { ProblemError } from '../../../../src/client/index.ts';
import { type Translate, useTexts } from '../../kit/texts.ts';
import { showProblem } from '../../kit/toast.tsx';
import { type DocumentsKey, documentsTexts } from '../texts.ts';
import type { Failure } from './bulk.ts';

/** Names of one reason that are shown; of more only how many. */
const shown = 50;

const known: Readonly<Record<string, DocumentsKey>> = {
  not_found: 'why.not_found',
  forbidden: 'why.forbidden',
  filename_taken: 'why.filename_taken',
  too_many_tags: 'why.too_many_tags',
  network: 'why.network',
};

function reasonText(t: Translate<DocumentsKey>, { code, why }: Failure): string {
  const key = known[code];
  return key === undefined ? why : t(key);
}

/** A refusal that is said in our own words. */
export function showRefusal(detail: string, code = 'refused'): void {
  showProblem(new ProblemError({ type: 'about:blank', title: '', status: 409, detail, code, instance: '' }));
}

/** One is said at the edge; more are listed. */
export function tellFailures(t: Translate<DocumentsKey>, failed: readonly Failure[]): void {
  const [first] = failed;
  if (first === undefined) return;
  if (failed.length === 1) {
    const why = reasonText(t, first);
    const name = first.filename;
    showRefusal(name === undefined ? why : t('bulk.failedOne', { name, why }), first.code);
    return;
  }
  modals.open({
    title: t('bulk.failedTitle', { count: failed.length }),
    size: 'lg',
    children: <Failures failed={failed} />,
  });
}

function Failures({ failed }: { failed: readonly Failure[] }) {
  const t = useTexts(documentsTexts);
  const byReason = Map.groupBy(failed, (failure) => reasonText(t, failure));
  return (
    <ScrollArea.Autosize mah="60dvh" viewportProps={{ tabIndex: 0 }}>
      <Stack gap="md">
        {[...byReason].map(([reason, some]) => {
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
