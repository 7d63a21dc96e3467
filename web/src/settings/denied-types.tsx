/** Which kinds of files the company refuses. What the server does not take as a kind stands beside the field, named. */
import { Stack, TagsInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { client } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { DataState } from '../kit/data-state.tsx';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { useTexts } from '../kit/texts.ts';
import { showDone } from '../kit/toast.tsx';
import { settingsTexts } from './texts.ts';

const queryKey = ['document settings'];

export function DeniedTypes() {
  const t = useTexts(settingsTexts);
  const settings = useQuery({ queryKey, queryFn: ({ signal }) => client.documents.getDocumentSettings({ signal }) });
  return (
    <DataState
      what={t('types.label')}
      loading={settings.isPending}
      error={settings.error}
      onRetry={() => void settings.refetch()}
      count={settings.data === undefined ? 0 : 1}
      empty={{ icon: 'document', title: t('types.empty') }}
      rows={2}
    >
      {settings.data === undefined ? null : <Form denied={settings.data.denied_types} />}
    </DataState>
  );
}

function Form({ denied }: { denied: readonly string[] }) {
  const t = useTexts(settingsTexts);
  const app = useTexts(appTexts);
  const queries = useQueryClient();
  const save = useServerForm({
    initialValues: { denied_types: [...denied] },
    async send(body) {
      queries.setQueryData(queryKey, await client.documents.setDocumentSettings({ body }));
      showDone(app('app.saved'));
    },
  });
  const { form } = save;
  // The server names the place in the list: `denied_types.2`.
  const error = Object.entries(form.errors)
    .map(([path, message]) => {
      const value = form.values.denied_types[Number(path.split('.')[1] ?? Number.NaN)];
      return value === undefined ? String(message) : t('types.of', { value, message: String(message) });
    })
    .join(' ');
  return (
    <form onSubmit={save.onSubmit} noValidate>
      <Stack gap="md" maw={560}>
        <TagsInput
          label={t('types.label')}
          description={t('types.hint')}
          placeholder={t('types.placeholder')}
          {...form.getInputProps('denied_types')}
          value={form.values.denied_types}
          onChange={(value) => {
            form.clearErrors();
            // Several may be pasted at once; endings and types are written in lower case.
            const kinds = value.flatMap((one) => one.toLowerCase().split(/[\s,;]+/)).filter((one) => one !== '');
            form.setFieldValue('denied_types', [...new Set(kinds)]);
          }}
          splitChars={[',', ' ', ';']}
          acceptValueOnBlur
          error={error === '' ? undefined : error}
        />
        <FormFoot of={save} label={app('app.save')} />
      </Stack>
    </form>
  );
}
