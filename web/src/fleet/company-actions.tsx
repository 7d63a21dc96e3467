/** What an operator does to a company. What locks people out or loses data asks first. */
import { ActionIcon, Button, Menu, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Company } from '../../../src/modules/fleet/contract.ts';
import { client } from '../app/session.ts';
import { appTexts } from '../kit/app-texts.ts';
import { confirmByName } from '../kit/confirm-by-name.tsx';
import { useFormats } from '../kit/formats.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { showDone, showProblem } from '../kit/toast.tsx';
import { EditCompany } from './edit-company.tsx';
import { InviteAdmin } from './invite-admin.tsx';
import { refreshFleet, statusQuery } from './queries.ts';
import { fleetTexts } from './texts.ts';

type Verb = 'suspend' | 'resume' | 'restore' | 'connections' | 'migrate';

export function useCompanyVerbs(company: Company) {
  const t = useTexts(fleetTexts);
  const app = useTexts(appTexts);
  const formats = useFormats();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState<Verb>();
  const { id, name, slug } = company;
  const params = { id };
  const run = async (verb: Verb, work: () => Promise<unknown>, said?: string) => {
    setBusy(verb);
    try {
      await work();
      if (said !== undefined) showDone(said);
    } catch (error) {
      showProblem(error);
    } finally {
      setBusy(undefined);
      await refreshFleet(queries);
    }
  };
  const remove = (purge: boolean) =>
    confirmByName({
      title: t(purge ? 'purge.title' : 'delete.title', { name }),
      about: t(purge ? 'purge.about' : 'delete.about', { slug, date: formats.date(company.created_at) }),
      name,
      confirm: t(purge ? 'verb.purge' : 'verb.delete'),
      run: async () => {
        await client.fleet.deleteCompany({ params, query: { confirm: slug, ...(purge ? { purge: 'now' } : {}) } });
        showDone(t(purge ? 'purge.done' : 'delete.done', { name }));
        const gone = purge || company.status === 'failed';
        if (gone) await navigate({ to: '/operator/companies' });
        await refreshFleet(queries);
      },
    });
  return {
    busy,
    resume: () => void run('resume', () => client.fleet.resumeCompany({ params }), t('done.resumed', { name })),
    restore: () => void run('restore', () => client.fleet.restoreCompany({ params }), t('done.restored', { name })),
    remove: () => remove(false),
    purge: () => remove(true),
    suspend: () =>
      modals.openConfirmModal({
        title: t('suspend.title', { name }),
        children: <Text size="sm">{t('suspend.about')}</Text>,
        labels: { confirm: t('verb.suspend'), cancel: app('app.cancel') },
        onConfirm: () =>
          void run('suspend', () => client.fleet.suspendCompany({ params }), t('done.suspended', { name })),
      }),
    closeConnections: () =>
      void run(
        'connections',
        () => client.fleet.closeCompanyConnections({ params: { company_id: id } }),
        t('connections.closed'),
      ),
    migrate: () =>
      void run('migrate', async () => {
        const started = await client.fleet.startMigration({ body: { only: [id] } });
        if ('id' in started) await navigate({ to: `/operator/migrations/${started.id}` });
      }),
  };
}

export function CompanyActions({ company }: { company: Company }) {
  const t = useTexts(fleetTexts);
  const verbs = useCompanyVerbs(company);
  const queries = useQueryClient();
  const { status } = company;
  const head = queries.getQueryData(statusQuery.queryKey)?.migrations?.head ?? 0;
  const dialog = (title: string, body: (close: () => void) => ReactNode) => {
    const modalId = `company-${company.id}`;
    modals.open({ modalId, title, children: body(() => modals.close(modalId)) });
  };
  return (
    <>
      {status === 'active' ? (
        <>
          <Button variant="default" loading={verbs.busy === 'suspend'} onClick={verbs.suspend}>
            {t('verb.suspend')}
          </Button>
          <Button
            onClick={() => dialog(t('invite.title'), (close) => <InviteAdmin company={company} onClose={close} />)}
          >
            {t('verb.invite')}
          </Button>
        </>
      ) : null}
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={36} aria-label={t('company.more')}>
            <Icon name="dots" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            disabled={status === 'deleting' || status === 'purging'}
            leftSection={<Icon name="edit" size={16} />}
            onClick={() => dialog(t('edit.title'), (close) => <EditCompany company={company} onClose={close} />)}
          >
            {t('verb.edit')}
          </Menu.Item>
          {status === 'active' && company.schema_version < head ? (
            <Menu.Item leftSection={<Icon name="database" size={16} />} onClick={verbs.migrate}>
              {t('verb.migrate')}
            </Menu.Item>
          ) : null}
          <Menu.Item leftSection={<Icon name="plug" size={16} />} onClick={verbs.closeConnections}>
            {t('verb.closeConnections')}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            color="red"
            disabled={status === 'creating' || status === 'deleting' || status === 'purging'}
            leftSection={<Icon name="trash" size={16} />}
            onClick={verbs.remove}
          >
            {t('verb.deleteMenu')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </>
  );
}
