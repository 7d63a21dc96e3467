/** One subject of the settings in a frame, with its heading. */
import { Card, Text, Title } from '@mantine/core';
import { type ReactNode, useId } from 'react';

export function Section({ title, about, children }: { title: string; about?: string; children: ReactNode }) {
  const id = useId();
  return (
    <Card component="section" withBorder padding="lg" aria-labelledby={id}>
      <Title order={2} size="h5" id={id}>
        {title}
      </Title>
      {about === undefined ? null : (
        <Text size="sm" c="dimmed" mt={4}>
          {about}
        </Text>
      )}
      <div style={{ marginBlockStart: '1rem' }}>{children}</div>
    </Card>
  );
}
