/** A part of a page under a heading of its own, in a frame. */
import { Card, Group, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';

interface SectionProps {
  readonly title: string;
  readonly about?: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Section({ title, about, actions, children }: SectionProps) {
  const id = useId();
  return (
    <Card component="section" withBorder padding="lg" aria-labelledby={id}>
      <Group justify="space-between" align="flex-start" mb="md">
        <div>
          <Title order={2} size="h5" id={id}>
            {title}
          </Title>
          {about === undefined ? null : (
            <Text size="sm" c="dimmed" mt={4}>
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
