/** The head of a page: its one heading, what it is about, and its actions. Sets the title of the window. */
import { Group, Stack, Text, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';
import { appTexts } from './app-texts.ts';
import classes from './page-header.module.css';
import { useTexts } from './texts.ts';

/** The window's title while the component is there. */
export function useTitle(title: string): void {
  const t = useTexts(appTexts);
  const name = t('app.name');
  useEffect(() => {
    document.title = `${title} · ${name}`;
  }, [title, name]);
}

export interface PageHeaderProps {
  readonly title: string;
  readonly about?: ReactNode;
  /** Buttons, most important last. */
  readonly actions?: ReactNode;
}

export function PageHeader({ title, about, actions }: PageHeaderProps) {
  useTitle(title);
  return (
    <Group component="header" className={classes.header ?? ''} justify="space-between" align="flex-start">
      <Stack gap={2} miw={0}>
        <Title order={1} size="h3">
          <bdi>{title}</bdi>
        </Title>
        {about === undefined ? null : (
          <Text size="sm" c="dimmed" component="div">
            {about}
          </Text>
        )}
      </Stack>
      {actions === undefined ? null : <Group gap="xs">{actions}</Group>}
    </Group>
  );
}

/** The inside of a page: room at its edges, and a measure where it is read or filled in. */
export function Page({ narrow = false, children }: { narrow?: boolean; children: ReactNode }) {
  return <div className={narrow ? `${classes.page} ${classes.narrow}` : classes.page}>{children}</div>;
}
