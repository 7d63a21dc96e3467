/** What the pages of people and of invitations share: heading, invitation button, the two tabs. */
import { Button, Tabs } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Icon } from '../kit/icon.tsx';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { openInvite } from './open-invite.tsx';
import { peopleTexts } from './texts.ts';

const places = { people: '/people', invitations: '/people/invitations' } as const;

export function InviteButton() {
  const t = useTexts(peopleTexts);
  return (
    <Button leftSection={<Icon name="plus" size={16} />} onClick={openInvite}>
      {t('invite.button')}
    </Button>
  );
}

export function PeopleFrame(props: { tab: keyof typeof places; about?: ReactNode; children: ReactNode }) {
  const t = useTexts(peopleTexts);
  const navigate = useNavigate();
  return (
    <Page>
      <PageHeader title={t('nav')} about={props.about} actions={<InviteButton />} />
      <Tabs
        value={props.tab}
        onChange={(tab) => {
          if (tab !== null) void navigate({ to: places[tab as keyof typeof places] });
        }}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="people">{t('tab.people')}</Tabs.Tab>
          <Tabs.Tab value="invitations">{t('tab.invitations')}</Tabs.Tab>
        </Tabs.List>
        {/* Both panels are there, so that each tab names one. */}
        {(['people', 'invitations'] as const).map((tab) => (
          <Tabs.Panel key={tab} value={tab}>
            {tab === props.tab ? props.children : null}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
