/** Whose documents: people whom one may list, and owners of what is in the list already. */
import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Document } from '../../../../src/modules/documents/contract.ts';
import { client } from '../../app/session.ts';
import { useTexts } from '../../kit/texts.ts';
import { documentsTexts } from '../texts.ts';

export interface OwnerFieldProps {
  readonly value: string | undefined;
  readonly onChange: (owner: string | undefined) => void;
  readonly rows: readonly Document[];
}

export function OwnerField({ value, onChange, rows }: OwnerFieldProps) {
  const t = useTexts(documentsTexts);
  const [typed, setTyped] = useState('');
  const [q] = useDebouncedValue(typed, 300);
  const people = useQuery({
    queryKey: ['people', 'owners', q],
    queryFn: ({ signal }) =>
      client.accounts.listUsers({ query: { limit: '50', sort: 'full_name', ...(q === '' ? {} : { q }) }, signal }),
    placeholderData: keepPreviousData,
  });
  const names = new Map([
    ...rows.map(({ owner }) => [owner.id, owner.full_name] as const),
    ...(people.data?.items ?? []).map(({ id, full_name }) => [id, full_name] as const),
  ]);
  return (
    <Select
      label={t('filter.owner')}
      placeholder={t('filter.any')}
      searchable
      clearable
      value={value ?? null}
      onChange={(owner) => onChange(owner ?? undefined)}
      onSearchChange={setTyped}
      data={[...names].map(([id, name]) => ({ value: id, label: name }))}
      comboboxProps={{ withinPortal: false }}
    />
  );
}

/** The name of an owner by his id, undefined while it is not known or may not be. */
export function useOwnerName(id: string | undefined, rows: readonly Document[]): string | undefined {
  const seen = rows.find(({ owner }) => owner.id === id)?.owner.full_name;
  const person = useQuery({
    queryKey: ['people', 'one', id],
    queryFn: ({ signal }) => client.accounts.getUser({ params: { id: id! }, signal }),
    enabled: id !== undefined && seen === undefined,
    staleTime: 60_000,
    retry: false,
  });
  return seen ?? person.data?.full_name;
}
