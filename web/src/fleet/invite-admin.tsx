/** Invites another administrator of a company; the link stands in this answer alone. */
import { Button, Stack, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { Company } from '../../../src/modules/fleet/contract.ts';
import { client } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { FormFoot, useServerForm } from '../kit/form.tsx';
import { useTexts } from '../kit/texts.ts';
import { OneTimeLink } from './one-time-link.tsx';
import { fleetTexts } from './texts.ts';

export function InviteAdmin({ company, onClose }: { company: Company; onClose: () => void }) {
  const t = useTexts(fleetTexts);
  const app = useTexts(appTexts);
  const [made, setMade] = useState<{ setup_url: string; expires_at: string; email: string }>();
  const invite = useServerForm({
    initialValues: { full_name: '', email: '' },
    send: async (body) => setMade(await client.fleet.inviteAdmin({ params: { id: company.id }, body })),
  });
  if (made !== undefined) {
    return (
      <Stack gap="md">
        <OneTimeLink url={made.setup_url} expiresAt={made.expires_at} email={made.email} />
        <Button variant="default" onClick={onClose}>
          {app('app.close')}
        </Button>
      </Stack>
    );
  }
  return (
    <form onSubmit={invite.onSubmit} noValidate>
      <Stack gap="md">
        <TextInput
          label={t('create.adminName')}
          autoComplete="off"
          data-autofocus
          {...invite.form.getInputProps('full_name')}
        />
        <TextInput
          label={t('create.adminEmail')}
          type="email"
          autoComplete="off"
          {...invite.form.getInputProps('email')}
        />
        <FormFoot of={invite} label={t('verb.invite')} />
      </Stack>
    </form>
  );
}
