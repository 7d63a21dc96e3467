/** A part of a page under a heading, and facts as a list of terms. */
import { Card, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';
import classes from './fleet.module.css';

export function Section(props: { title: string; about?: string; actions?: ReactNode; children: ReactNode }) {
  const { title, about, actions, children } = props;
  const id = useId();
  return (
    <Card component="section" withBorder padding="lg" aria-labelledby={id}>
      <Group justify="space-between" align="flex-start" mb="md">
        <div>
          <Title order={2} size="h5" id={id}>
            {title}
          </Title>
          {about === undefined ? null : (
            <Text size="sm" c="dimmed">
              {about}
            </Text>
          )}
        </div>
        {actions}
      </Group>
      {children}
    </Card>
  );
}

export type Fact = readonly [label: string, value: ReactNode];

export function Facts({ facts, columns = 3 }: { facts: readonly Fact[]; columns?: number }) {
  return (
    <SimpleGrid
      component="dl"
      cols={{ base: 2, md: columns }}
      spacing="lg"
      verticalSpacing="md"
      className={classes.facts ?? ''}
    >
      {facts.map(([label, value]) => (
        <div key={label}>
          <Text component="dt" size="xs" c="dimmed">
            {label}
          </Text>
          <Text component="dd" size="sm" m={0} className={classes.fact ?? ''}>
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}
