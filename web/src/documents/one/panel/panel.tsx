/** The panel of one document: tabs, each loaded when it is first opened and kept then, so that nothing under way ends. */
import { Tabs } from '@mantine/core';
import { useState } from 'react';
import { useTexts } from '../../../kit/texts.ts';
import type { Loaded } from '../queries.ts';
import { documentTexts } from '../texts.ts';
import { ActivityTab } from './activity-tab.tsx';
import { InfoTab, type SaveAll } from './info-tab.tsx';
import { SharingTab } from './sharing-tab.tsx';
import { VersionsTab, type VersionsTabProps } from './versions-tab.tsx';

export const tabs = ['info', 'versions', 'activity', 'sharing'] as const;
export type TabName = (typeof tabs)[number];

export interface PanelProps extends VersionsTabProps {
  readonly loaded: Loaded;
  readonly tab: TabName;
  readonly onTab: (tab: TabName) => void;
  readonly saveAll: SaveAll;
}

export function Panel({ loaded, tab, onTab, saveAll, shown, onShow }: PanelProps) {
  const t = useTexts(documentTexts);
  const [visited, setVisited] = useState<ReadonlySet<TabName>>(new Set());
  const drawn = (name: TabName) => name === 'info' || name === tab || visited.has(name);
  const content = {
    info: <InfoTab loaded={loaded} saveAll={saveAll} />,
    versions: <VersionsTab loaded={loaded} shown={shown} onShow={onShow} />,
    activity: <ActivityTab id={loaded.document.id} />,
    sharing: <SharingTab document={loaded.document} />,
  };
  return (
    <Tabs
      value={tab}
      onChange={(value) => {
        const next = tabs.find((name) => name === value) ?? 'info';
        setVisited(new Set([...visited, tab, next]));
        onTab(next);
      }}
    >
      <Tabs.List grow aria-label={t('page.panel')}>
        {tabs.map((name) => (
          <Tabs.Tab key={name} value={name} px="xs">
            {t(`tab.${name}`)}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map((name) => (
        <Tabs.Panel key={name} value={name} p="md">
          {drawn(name) ? content[name] : null}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}
