/** What is known of the document, and what of it can be changed: name, basket, tags, metadata, each saved for itself. */
import { Alert, Select, Stack, TagsInput, Text, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type RefObject, useEffect, useState } from 'react';
import { client } from '../../../app/session.ts';
import { useFormats } from '../../../kit/formats.ts';
import { Icon } from '../../../kit/icon.tsx';
import { useTold } from '../../../kit/problem.tsx';
import { useTexts } from '../../../kit/texts.ts';
import { Time } from '../../../kit/time.tsx';
import type { Loaded } from '../queries.ts';
import { isForbidden, useRights } from '../rights.ts';
import { documentTexts } from '../texts.ts';
import type { Metadata } from './facts.ts';
import { type FieldOf, type FieldSave, useFieldSave } from './field-save.ts';
import { MetadataField } from './metadata-field.tsx';
import classes from './panel.module.css';
import { ConflictNote, SaveMark } from './save-mark.tsx';

const nameField: FieldOf<string> = {
  name: 'filename',
  read: ({ filename }) => filename,
  patch: (filename) => ({ filename }),
};
const basketField: FieldOf<string | null> = {
  name: 'basket_id',
  read: ({ basket_id }) => basket_id,
  patch: (basket_id) => ({ basket_id }),
};
const tagsField: FieldOf<readonly string[]> = {
  name: 'tags',
  read: ({ tags }) => tags,
  patch: (tags) => ({ tags: [...tags] }),
};
const metadataField: FieldOf<Metadata> = {
  name: 'metadata',
  read: ({ metadata }) => metadata,
  patch: (metadata) => ({ metadata }),
};

/** What Ctrl+S runs. */
export type SaveAll = RefObject<() => void>;

export function InfoTab({ loaded, saveAll }: { loaded: Loaded; saveAll: SaveAll }) {
  const t = useTexts(documentTexts);
  const rights = useRights(loaded.document);
  const name = useFieldSave(loaded, nameField);
  const basket = useFieldSave(loaded, basketField);
  const tags = useFieldSave(loaded, tagsField);
  const metadata = useFieldSave(loaded, metadataField);
  const refused = [name, basket, tags, metadata].some(({ error }) => isForbidden(error));
  const readOnly = loaded.document.trashed_at !== null || refused;
  useEffect(() => {
    saveAll.current = () => {
      for (const field of [name, tags, metadata]) if (field.state !== 'conflict') void field.save();
    };
  });
  return (
    <Stack gap="md">
      {refused ? (
        <Alert role="alert" variant="light" icon={<Icon name="lock" />} p="sm">
          {t('info.readOnly')}
        </Alert>
      ) : null}
      <NameField of={name} readOnly={readOnly} />
      <BasketField of={basket} readOnly={readOnly || !rights.manages} />
      <TagsField of={tags} readOnly={readOnly} />
      <MetadataField of={metadata} readOnly={readOnly} />
      <Facts loaded={loaded} />
    </Stack>
  );
}

/** What the server said of a field, but that one may not: that is said once, above. */
function useFieldError<Value>(of: FieldSave<Value>): string | undefined {
  const told = useTold(of.error);
  return of.state === 'refused' && !isForbidden(of.error) ? told.message : undefined;
}

function NameField({ of, readOnly }: { of: FieldSave<string>; readOnly: boolean }) {
  const t = useTexts(documentTexts);
  const error = useFieldError(of);
  return (
    <Stack gap="xs">
      <TextInput
        label={
          <>
            {t('info.name')} <SaveMark state={of.state} />
          </>
        }
        aria-label={t('info.name')}
        value={of.value}
        readOnly={readOnly}
        error={error}
        onChange={({ currentTarget }) => of.change(currentTarget.value)}
        onBlur={() => void of.save()}
        onKeyDown={({ key }) => {
          if (key === 'Enter') void of.save();
          if (key === 'Escape' && of.conflict === undefined) of.drop();
        }}
      />
      <ConflictNote of={of} draw={(name) => name} />
    </Stack>
  );
}

/** In no basket: a choice of its own, as the list has no empty value. */
const nowhere = 'none';

function BasketField({ of, readOnly }: { of: FieldSave<string | null>; readOnly: boolean }) {
  const t = useTexts(documentTexts);
  const error = useFieldError(of);
  const [search, setSearch] = useState('');
  const present = of.value;
  const own = useQuery({
    queryKey: ['baskets', 'one', present],
    queryFn: ({ signal }) => client.documents.getBasket({ params: { id: present! }, signal }),
    enabled: present !== null,
  });
  const nameOfPresent = own.data?.name ?? (own.isError ? t('info.otherBasket') : '…');
  const asked = search === nameOfPresent || search === t('info.noBasket') ? '' : search;
  const found = useQuery({
    queryKey: ['baskets', 'choice', asked],
    queryFn: ({ signal }) =>
      client.documents.listBaskets({ query: { limit: '20', ...(asked === '' ? {} : { q: asked }) }, signal }),
    placeholderData: (before) => before,
    enabled: !readOnly,
  });
  const writable = (found.data?.items ?? []).filter(({ access }) => access !== 'read');
  const choices = new Map([[nowhere, t('info.noBasket')]]);
  if (present !== null) choices.set(present, nameOfPresent);
  for (const { id, name } of writable) choices.set(id, name);
  const nameOf = (id: string | null) => choices.get(id ?? nowhere) ?? t('info.otherBasket');
  return (
    <Stack gap="xs">
      <Select
        label={
          <>
            {t('info.basket')} <SaveMark state={of.state} />
          </>
        }
        aria-label={t('info.basket')}
        data={[...choices].map(([value, label]) => ({ value, label }))}
        value={present ?? nowhere}
        allowDeselect={false}
        searchable={!readOnly}
        searchValue={search}
        onSearchChange={setSearch}
        filter={({ options }) => options}
        readOnly={readOnly}
        error={error}
        onChange={(value) => void of.save(value === nowhere ? null : value)}
      />
      <ConflictNote of={of} draw={nameOf} />
    </Stack>
  );
}

function TagsField({ of, readOnly }: { of: FieldSave<readonly string[]>; readOnly: boolean }) {
  const t = useTexts(documentTexts);
  const error = useFieldError(of);
  return (
    <Stack gap="xs">
      <TagsInput
        label={
          <>
            {t('info.tags')} <SaveMark state={of.state} />
          </>
        }
        aria-label={t('info.tags')}
        placeholder={of.value.length === 0 && !readOnly ? t('info.tagAdd') : ''}
        value={[...of.value]}
        readOnly={readOnly}
        error={error}
        maxTags={50}
        acceptValueOnBlur
        onChange={(tags) => void of.save(tags)}
      />
      <ConflictNote of={of} draw={(tags) => tags.join(', ')} />
    </Stack>
  );
}

function Facts({ loaded: { document } }: { loaded: Loaded }) {
  const t = useTexts(documentTexts);
  const formats = useFormats();
  return (
    <dl className={classes.facts}>
      <dt>{t('info.owner')}</dt>
      <dd>
        <bdi>{document.owner.full_name}</bdi>
      </dd>
      <dt>{t('info.type')}</dt>
      <dd>
        <bdi>{document.mime_type}</bdi>
      </dd>
      <dt>{t('info.size')}</dt>
      <dd>{formats.size(document.size_bytes)}</dd>
      <dt>{t('info.version')}</dt>
      <dd>{formats.number(document.version)}</dd>
      <dt>{t('info.created')}</dt>
      <dd>
        <Time value={document.created_at} />
      </dd>
      <dt>{t('info.updated')}</dt>
      <dd>
        <Time value={document.updated_at} />
      </dd>
      <dt>{t('info.checksum')}</dt>
      <dd>
        <Text component="span" className={classes.digest ?? ''}>
          <bdi>{document.sha256}</bdi>
        </Text>
      </dd>
    </dl>
  );
}
