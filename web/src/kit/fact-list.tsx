/** Facts as a list of terms: what each is called, and what it is. */
import { SimpleGrid, type StyleProp, Text } from '@mantine/core';
import type { ReactNode } from 'react';

export type Fact = readonly [label: string, value: ReactNode];

interface FactListProps {
  readonly facts: readonly Fact[];
  /** How many stand beside each other, by the width of the window. Default: one. */
  readonly columns?: StyleProp<number>;
}

export function FactList({ facts, columns = 1 }: FactListProps) {
  return (
    <SimpleGrid component="dl" cols={columns} spacing="md" verticalSpacing="sm" m={0}>
      {facts.map(([label, value]) => (
        <div key={label}>
          <Text component="dt" size="xs" c="dimmed">
            {label}
          </Text>
          <Text component="dd" m={0} size="sm" style={{ overflowWrap: 'anywhere' }}>
            {value}
          </Text>
        </div>
      ))}
    </SimpleGrid>
  );
}
