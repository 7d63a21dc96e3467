/** The head of the one card of a visitor's page. */
import { Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTitle } from '../kit/page-header.tsx';

export function CardTitle({ title, about }: { title: string; about?: ReactNode }) {
  useTitle(title);
  return (
    <Stack gap={6} mb="lg">
      <Title order={1} size="h2">
        {title}
      </Title>
      {about === undefined ? null : (
        <Text c="dimmed" size="sm" component="div">
          {about}
        </Text>
      )}
    </Stack>
  );
}
