/** Round the pages for those who are not signed in: the mark, one card, language and theme. */
import { Box, Group, Text } from '@mantine/core';
import { Outlet } from '@tanstack/react-router';
import { appTexts } from '../kit/app-texts.ts';
import { Icon } from '../kit/icon.tsx';
import { useTexts } from '../kit/texts.ts';
import { LanguageMenu, ThemeMenu } from './menus.tsx';
import classes from './visitor-frame.module.css';

export function VisitorFrame() {
  const t = useTexts(appTexts);
  return (
    <div className={classes.page}>
      <header className={classes.header}>
        <Group gap={10}>
          <Box className={classes.mark}>
            <Icon name="vault" size={26} />
          </Box>
          <Text fw={650} size="lg">
            {t('app.name')}
          </Text>
        </Group>
        <Group gap={4}>
          <LanguageMenu />
          <ThemeMenu />
        </Group>
      </header>
      <main className={classes.main}>
        <div className={classes.card}>
          <Outlet />
        </div>
      </main>
    </div>
  );
}
