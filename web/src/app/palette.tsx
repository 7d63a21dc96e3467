/** The command palette: pages by role, commands of the open page, and whatever areas find while somebody types. */
import { createSpotlight, Spotlight, type SpotlightActionGroupData, useSpotlight } from '@mantine/spotlight';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useLayoutEffect, useState } from 'react';
import { appTexts } from '../kit/app-texts.ts';
import { type Command, useRegisteredCommands, useRegisteredSources } from '../kit/commands.ts';
import { Icon } from '../kit/icon.tsx';
import { useLanguage } from '../kit/language.ts';
import { useTexts } from '../kit/texts.ts';
import { mayEnter } from './area.ts';
import { areas } from './areas.ts';
import { useSignedIn } from './session.ts';

const [store, spotlight] = createSpotlight();

export const openPalette = (): void => spotlight.open();

const waitMs = 300;

export function Palette() {
  const t = useTexts(appTexts);
  const [query, setQuery] = useState('');
  const found = useFound(query);
  const pages = usePages();
  const commands = useRegisteredCommands();
  const fits = ({ label }: Command) => label.toLowerCase().includes(query.trim().toLowerCase());
  // What was found for other words stays only as far as it fits these, so that Enter never runs what nobody sought.
  const fresh = found.query === query.trim();
  const groups: SpotlightActionGroupData[] = [
    ...found.list.map(({ title, commands }) => group(title, fresh ? commands : commands.filter(fits))),
    group(t('app.palette.actions'), commands.filter(fits)),
    group(t('app.palette.go'), pages.filter(fits)),
  ].filter(({ actions }) => actions.length > 0);
  useFirstChosen(query === '' ? '' : groups.flatMap(({ actions }) => actions.map(({ id }) => id)).join('\n'));
  return (
    <Spotlight
      store={store}
      actions={groups}
      query={query}
      onQueryChange={setQuery}
      // What stands here was chosen already.
      filter={(_, actions) => actions}
      shortcut={null}
      attributes={{ content: { 'aria-label': t('app.palette') } }}
      // Paler than its ground allows where it is the chosen one.
      styles={{ actionDescription: { opacity: 1 } }}
      clearQueryOnClose={false}
      nothingFound={t('app.palette.nothing')}
      highlightQuery
      scrollable
      maxHeight="60vh"
      searchProps={{
        leftSection: <Icon name="search" />,
        placeholder: t('app.palette.hint'),
        'aria-label': t('app.palette.hint'),
        onFocus: (event) => event.currentTarget.select(),
      }}
    />
  );
}

/** The first of what is found is what Enter runs, also of what comes later than the typing. */
function useFirstChosen(found: string): void {
  const { opened, listId } = useSpotlight(store);
  useLayoutEffect(() => {
    if (!opened || found === '') return;
    const choose = () => {
      const list = document.getElementById(listId);
      for (const chosen of list?.querySelectorAll('[data-selected]') ?? []) chosen.removeAttribute('data-selected');
      list?.querySelector('[data-action]')?.setAttribute('data-selected', 'true');
      store.setState({ ...store.getState(), selected: 0 });
    };
    // With what is drawn, for whoever types quickly; and once more behind what the palette chooses by itself.
    choose();
    const frame = requestAnimationFrame(choose);
    return () => cancelAnimationFrame(frame);
  }, [opened, listId, found]);
}

const group = (title: string, commands: readonly Command[]): SpotlightActionGroupData => ({
  group: title,
  actions: commands.map(({ id, label, description, icon, run }) => ({
    id,
    label,
    ...(description === undefined ? {} : { description }),
    leftSection: <Icon name={icon} />,
    onClick: run,
  })),
});

function usePages(): readonly Command[] {
  const session = useSignedIn();
  const language = useLanguage();
  const navigate = useNavigate();
  return areas
    .flatMap((area) => [
      ...(area.nav ?? []).map((entry) => ({ ...entry, id: `nav ${entry.to}` })),
      ...(area.commands ?? []),
    ])
    .filter(({ audience }) => mayEnter(session, audience))
    .map(({ id, label, icon, to }) => ({ id, label: label(language), icon, run: () => void navigate({ to }) }));
}

interface Found {
  /** What was sought. */
  readonly query: string;
  readonly list: readonly { readonly title: string; readonly commands: readonly Command[] }[];
}

const nothing: Found = { query: '', list: [] };

/** What the areas' sources find, once typing rests. */
function useFound(query: string): Found {
  const sources = useRegisteredSources();
  const [found, setFound] = useState(nothing);
  useEffect(() => {
    const wanted = query.trim();
    if (wanted === '') {
      setFound(nothing);
      return;
    }
    const gone = new AbortController();
    const timer = setTimeout(async () => {
      const all = await Promise.allSettled(sources.map((source) => source.find(wanted, gone.signal)));
      if (gone.signal.aborted) return;
      const list = all.map((one, at) => ({
        title: sources[at]!.title,
        commands: one.status === 'fulfilled' ? one.value : [],
      }));
      setFound({ query: wanted, list });
    }, waitMs);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [query, sources]);
  return found;
}
