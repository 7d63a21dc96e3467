/**
 * The frame of everybody who is signed in: navigation by role, the company's name (or the operator's label) always in
 * sight, palette, shortcuts, account.
 */
import { AppShell, Badge, Burger, Group, Kbd, NavLink, Text, UnstyledButton } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { appTexts } from '../kit/app-texts.ts';
import { Icon } from '../kit/icon.tsx';
import { useLanguage } from '../kit/language.ts';
import { keyNames, useShortcut } from '../kit/shortcuts.ts';
import { useTexts } from '../kit/texts.ts';
import { showProblem } from '../kit/toast.tsx';
import { AccountMenu } from './account-menu.tsx';
import { mayEnter } from './area.ts';
import { areas } from './areas.ts';
import { CompanyMenu } from './company-menu.tsx';
import { type SignedInSession, useSignedIn } from './session.ts';
import classes from './shell.module.css';

// Both come when they are first asked for.
const loadPalette = () => import('./palette.tsx');
const Palette = lazy(async () => ({ default: (await loadPalette()).Palette }));
const ShortcutHelp = lazy(async () => ({ default: (await import('./shortcut-help.tsx')).ShortcutHelp }));

export function Shell() {
  const t = useTexts(appTexts);
  const session = useSignedIn();
  const [menu, { toggle, close }] = useDisclosure(false);
  const [help, { toggle: toggleHelp, close: closeHelp }] = useDisclosure(false);
  const [asked, setAsked] = useState({ palette: false, help: false });
  // The path alone: what a page writes into its search is no reason to draw the frame anew.
  const pathname = useLocation({ select: (location) => location.pathname });
  const openPalette = () => {
    setAsked((before) => ({ ...before, palette: true }));
    void loadPalette().then((loaded) => loaded.openPalette(), showProblem);
  };
  const openHelp = () => {
    setAsked((before) => ({ ...before, help: true }));
    toggleHelp();
  };
  const operator = session.company === null;
  const beside = areas.flatMap((area) => area.beside ?? []).filter(({ audience }) => mayEnter(session, audience));
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address closes the drawer.
  useEffect(close, [pathname]);
  useShortcut({ keys: 'mod+k', label: t('shortcut.palette'), scope: 'everywhere', run: openPalette });
  useShortcut({ keys: '?', label: t('shortcut.help'), scope: 'everywhere', run: openHelp });
  return (
    <AppShell
      header={{ height: 'var(--strongroom-header)' }}
      navbar={{ width: 224, breakpoint: 'sm', collapsed: { mobile: !menu } }}
      padding={0}
      data-area={operator ? 'operator' : 'company'}
    >
      <a href="#content" className="skip-link">
        {t('app.skip')}
      </a>
      <AppShell.Header className={classes.header}>
        <Burger
          opened={menu}
          onClick={toggle}
          hiddenFrom="sm"
          size="sm"
          aria-label={t(menu ? 'app.closeMenu' : 'app.menu')}
          aria-expanded={menu}
        />
        <Link to="/" className={classes.mark} aria-label={t('app.home')}>
          <Icon name="vault" size={24} />
        </Link>
        <Where session={session} />
        <SearchButton onClick={openPalette} />
        <AccountMenu session={session} onHelp={openHelp} />
      </AppShell.Header>
      <AppShell.Navbar className={classes.navbar} aria-label={t('app.navigation')} id="navigation">
        <Navigation pathname={pathname} />
      </AppShell.Navbar>
      <AppShell.Main id="content" tabIndex={-1} className={classes.main}>
        <Outlet />
      </AppShell.Main>
      {beside.map(({ component: Beside }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the list never changes its order.
        <Beside key={at} />
      ))}
      <Suspense fallback={null}>
        {asked.palette ? <Palette /> : null}
        {asked.help ? <ShortcutHelp opened={help} onClose={closeHelp} /> : null}
      </Suspense>
    </AppShell>
  );
}

/** The company's name, or that this is the operator's area. */
function Where({ session }: { session: SignedInSession }) {
  const t = useTexts(appTexts);
  if (session.company !== null) return <CompanyMenu session={session} />;
  return (
    <Group gap={8} wrap="nowrap" miw={0}>
      <Text fw={650} truncate visibleFrom="xs">
        {t('app.name')}
      </Text>
      <Badge variant="filled" radius="sm" className={classes.label ?? ''}>
        {t('app.operator')}
      </Badge>
    </Group>
  );
}

function SearchButton({ onClick }: { onClick: () => void }) {
  const t = useTexts(appTexts);
  return (
    <UnstyledButton className={classes.search} onClick={onClick}>
      <Icon name="search" size={16} />
      <Text size="sm" c="dimmed" component="span" className={classes.hint ?? ''}>
        {t('app.palette.hint')}
      </Text>
      <Group gap={2} visibleFrom="sm" component="span">
        {keyNames('mod+k').map((key) => (
          <Kbd key={key} size="xs">
            {key}
          </Kbd>
        ))}
      </Group>
    </UnstyledButton>
  );
}

function Navigation({ pathname }: { pathname: string }) {
  const session = useSignedIn();
  const language = useLanguage();
  const entries = areas
    .flatMap((area) => area.nav ?? [])
    .filter(({ audience }) => mayEnter(session, audience))
    .sort((left, right) => left.order - right.order);
  // The longest address that fits is the current one: `/operator` is not, on `/operator/companies`.
  const fitting = entries.filter(({ to }) => pathname === to || pathname.startsWith(`${to}/`));
  const current = fitting.sort((left, right) => right.to.length - left.to.length)[0];
  return entries.map((entry) => (
    <NavLink
      key={entry.to}
      component={Link}
      to={entry.to}
      // Which entry is the current one is said below; the link itself would also mark every address above it.
      activeOptions={{ exact: true }}
      label={entry.label(language)}
      leftSection={<Icon name={entry.icon} />}
      active={entry === current}
      aria-current={entry === current ? 'page' : undefined}
      className={classes.entry ?? ''}
    />
  ));
}
