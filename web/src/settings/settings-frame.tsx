/** Heading and tabs of the settings' pages. */
import { Tabs } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Page, PageHeader } from '../kit/page-header.tsx';
import { useTexts } from '../kit/texts.ts';
import { settingsTexts } from './texts.ts';

const places = { general: '/settings', roles: '/settings/roles', audit: '/settings/audit' } as const;
type Place = keyof typeof places;

export function SettingsFrame(props: { tab: Place; narrow?: boolean; actions?: ReactNode; children: ReactNode }) {
  const t = useTexts(settingsTexts);
  const navigate = useNavigate();
  return (
    <Page narrow={props.narrow === true}>
      <PageHeader title={t('nav')} actions={props.actions} />
      <Tabs
        value={props.tab}
        onChange={(tab) => {
          if (tab !== null) void navigate({ to: places[tab as Place] });
        }}
      >
        <Tabs.List mb="md">
          {(Object.keys(places) as Place[]).map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              {t(`tab.${tab}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {(Object.keys(places) as Place[]).map((tab) => (
          <Tabs.Panel key={tab} value={tab}>
            {tab === props.tab ? props.children : null}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  );
}
