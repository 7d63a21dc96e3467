/** What may be changed of a company: name, address, registration, quota. */
import { NativeSelect, NumberInput, Stack, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { Company } from '../../../src/modules/fleet/contract.ts';
import { client } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { useTexts } from '../kit/texts.ts';
import { showDone } from '../kit/toast.tsx';
import { refreshFleet } from './queries.ts';
import { fleetTexts } from './texts.ts';

const gigabyte = 1_000_000_000;

export function EditCompany({ company, onClose }: { company: Company; onClose: () => void }) {
  const t = useTexts(fleetTexts);
  const app = useTexts(appTexts);
  const queries = useQueryClient();
  const before = company.quota_bytes === null ? '' : company.quota_bytes / gigabyte;
  const edit = useServerForm({
    initialValues: {
      name: company.name,
      email: company.email,
      registration: company.registration as string,
      quota: before as number | string,
    },
    paths: { quota_bytes: 'quota' },
    send: async ({ name, email, registration, quota }) => {
      // An untouched quota stays as it is, to the byte.
      const quotaBytes = typeof quota === 'number' ? Math.round(quota * gigabyte) : null;
      await client.fleet.updateCompany({
        params: { id: company.id },
        body: {
          name,
          email,
          registration: registration === 'open' ? 'open' : 'closed',
          ...(quota === before ? {} : { quota_bytes: quotaBytes }),
        },
      });
      showDone(app('app.saved'));
      onClose();
      await refreshFleet(queries);
    },
  });
  const { form } = edit;
  return (
    <form onSubmit={edit.onSubmit} noValidate>
      <Stack gap="md">
        <TextInput label={t('company.name')} autoComplete="off" data-autofocus {...form.getInputProps('name')} />
        <TextInput label={t('company.email')} type="email" autoComplete="off" {...form.getInputProps('email')} />
        <NativeSelect
          label={t('company.registration')}
          data={(['closed', 'open'] as const).map((value) => ({ value, label: t(`registration.${value}`) }))}
          {...form.getInputProps('registration')}
        />
        <NumberInput
          label={t('create.quota')}
          description={t('create.quotaHint')}
          min={0}
          decimalScale={3}
          {...form.getInputProps('quota')}
        />
        <FormFoot of={edit} label={app('app.save')} />
      </Stack>
    </form>
  );
}
