/** A new company: what it is called and where it lives; then its creation, step by step, as the journal tells it. */
import { Fieldset, NativeSelect, NumberInput, SimpleGrid, Stack, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { ProblemError } from '../../../src/client/index.ts';
import { client } from '../app/session.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { type Begun, Creation } from './creation.tsx';
import { oneOf, placements } from './kinds.ts';
import { refreshFleet, statusQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

const gigabyte = 1_000_000_000;
/** Fields beside each other stand in line, however long what is said about them is. */
const order = ['label', 'input', 'description', 'error'] as const;
const inLine = { inputWrapperOrder: [...order] };
const empty = {
  name: '',
  email: '',
  slug: '',
  placement: '',
  region: '',
  roles: 'company',
  quota: '' as number | string,
  admin: { email: '', full_name: '' },
};
type Values = typeof empty;

function bodyOf(values: Values) {
  const { name, email, slug, region, quota, admin } = values;
  const placement = oneOf(placements, values.placement);
  return {
    name,
    email,
    roles: values.roles === 'workspace' ? ('workspace' as const) : ('company' as const),
    ...(slug.trim() === '' ? {} : { slug: slug.trim() }),
    ...(placement === undefined ? {} : { placement }),
    ...(region.trim() === '' ? {} : { region: region.trim() }),
    ...(typeof quota === 'number' ? { quota_bytes: Math.round(quota * gigabyte) } : {}),
    ...(admin.email === '' && admin.full_name === '' ? {} : { admin }),
  };
}

const newKey = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join('-');

/** The same values asked for twice (an answer got lost) make one company. */
function useKeyOf(): (body: unknown) => string {
  const last = useRef({ body: '', key: '' });
  return (body) => {
    const text = JSON.stringify(body);
    if (last.current.body !== text) last.current = { body: text, key: newKey() };
    return last.current.key;
  };
}

export function CreateCompanyPage() {
  const t = useTexts(fleetTexts);
  const [begun, setBegun] = useState<Begun>();
  return (
    <Page narrow>
      <PageHeader
        title={begun === undefined ? t('nav.create') : begun.name}
        about={begun === undefined ? t('create.about') : begun.slug}
      />
      {begun === undefined ? (
        <CreateForm onBegun={setBegun} />
      ) : (
        <Creation begun={begun} onAnother={() => setBegun(undefined)} />
      )}
    </Page>
  );
}

function CreateForm({ onBegun }: { onBegun: (begun: Begun) => void }) {
  const t = useTexts(fleetTexts);
  const queries = useQueryClient();
  const keyOf = useKeyOf();
  const create = useServerForm<Values>({
    initialValues: empty,
    paths: { quota_bytes: 'quota', admin: 'admin.email' },
    send: async (values) => {
      const body = bodyOf(values);
      try {
        const headers = { prefer: 'respond-async' };
        const made = await client.fleet.createCompany({ body, headers, idempotencyKey: keyOf(body) });
        const { id, slug, invitation } = made;
        const operationId = 'operation_id' in made ? made.operation_id : undefined;
        onBegun({ id, slug, name: values.name, operationId, invitation, invited: values.admin.email });
        void refreshFleet(queries);
      } catch (error) {
        if (!(error instanceof ProblemError) || error.code !== 'slug_taken') throw error;
        create.form.setFieldError('slug', error.problem.detail);
        create.form.getInputNode('slug')?.focus();
      }
    },
  });
  return (
    <form onSubmit={create.onSubmit} noValidate>
      <Stack gap="md">
        <Identity form={create.form} />
        <Place form={create.form} />
        <Fieldset legend={t('create.admin')}>
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <TextInput
              label={t('create.adminName')}
              {...inLine}
              description={t('create.adminHint')}
              autoComplete="off"
              {...create.form.getInputProps('admin.full_name')}
            />
            <TextInput
              label={t('create.adminEmail')}
              {...inLine}
              description={t('create.adminEmailHint')}
              type="email"
              autoComplete="off"
              {...create.form.getInputProps('admin.email')}
            />
          </SimpleGrid>
        </Fieldset>
        <FormFoot of={create} label={t('nav.create')} />
      </Stack>
    </form>
  );
}

type Form = ReturnType<typeof useServerForm<Values>>['form'];

function Identity({ form }: { form: Form }) {
  const t = useTexts(fleetTexts);
  return (
    <Fieldset legend={t('create.identity')}>
      <Stack gap="md">
        <TextInput
          label={t('company.name')}
          withAsterisk
          autoFocus
          autoComplete="off"
          {...form.getInputProps('name')}
        />
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <TextInput
            label={t('company.email')}
            {...inLine}
            description={t('create.emailHint')}
            withAsterisk
            type="email"
            autoComplete="off"
            {...form.getInputProps('email')}
          />
          <TextInput
            label={t('company.slug')}
            {...inLine}
            description={t('create.slugHint')}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            {...form.getInputProps('slug')}
          />
        </SimpleGrid>
      </Stack>
    </Fieldset>
  );
}

/** Where this server can place a company: nothing else is offered, and a region only where it makes a difference. */
function useOffered(chosen: string) {
  const { data } = useQuery(statusQuery);
  const offered = data?.offered;
  const kind = chosen === '' ? offered?.default : chosen;
  return {
    usual: offered?.default,
    placements: offered?.placements.map(({ placement }) => placement) ?? [],
    regions: offered?.placements.find(({ placement }) => placement === kind)?.regions ?? [],
  };
}

function Place({ form }: { form: Form }) {
  const t = useTexts(fleetTexts);
  const { placement, region } = form.getValues();
  const { usual, placements, regions } = useOffered(placement);
  const lost = region !== '' && !regions.includes(region);
  // A region of the placement chosen before would be refused, and stands nowhere any more.
  useEffect(() => {
    if (lost) form.setFieldValue('region', '');
  }, [lost, form.setFieldValue]);
  return (
    <Fieldset legend={t('create.place')}>
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <NativeSelect
          label={t('company.placement')}
          {...inLine}
          description={t('create.placementHint')}
          data={[
            {
              value: '',
              label:
                usual === undefined
                  ? t('create.defaultPlacement')
                  : t('create.usualPlacement', { placement: t(`placement.${usual}`) }),
            },
            ...placements.map((value) => ({ value, label: t(`placement.${value}`) })),
          ]}
          {...form.getInputProps('placement')}
        />
        {regions.length === 0 ? null : (
          <NativeSelect
            label={t('company.region')}
            {...inLine}
            description={t('create.regionHint')}
            data={[{ value: '', label: t('create.anyRegion') }, ...regions]}
            {...form.getInputProps('region')}
          />
        )}
        <NativeSelect
          label={t('company.preset')}
          {...inLine}
          description={t('create.presetHint')}
          data={[
            { value: 'company', label: t('preset.company') },
            { value: 'workspace', label: t('preset.workspace') },
          ]}
          {...form.getInputProps('roles')}
        />
        <NumberInput
          label={t('create.quota')}
          {...inLine}
          description={t('create.quotaHint')}
          min={0}
          decimalScale={3}
          thousandSeparator=" "
          {...form.getInputProps('quota')}
        />
      </SimpleGrid>
    </Fieldset>
  );
}
