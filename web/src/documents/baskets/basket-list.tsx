/** Baskets at the side of the list: one leads to its documents; each has its own actions. */
import { ActionIcon, Button, Loader, Menu, NavLink, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Basket } from '../../../../src/modules/documents/contract.ts';
import { client, useSignedIn } from '../../app/session.ts';
import { Icon } from '../../kit/icon.tsx';
import { ProblemAlert } from '../../kit/problem.tsx';
import { useTexts } from '../../kit/texts.ts';
import { showDone, showProblem } from '../../kit/toast.tsx';
import classes from '../list/list.module.css';
import { mayOwn, mayUpload } from '../list/rights.ts';
import { documentsTexts } from '../texts.ts';
import { openBasketForm } from './basket-form.tsx';
import { openBasketShares } from './basket-shares.tsx';
import { basketsKey, useBaskets } from './use-baskets.ts';

export interface BasketListProps {
  readonly current: string | undefined;
  readonly onChoose: (id: string | undefined) => void;
}

/** From so many on they can be searched. */
const many = 10;

export function BasketList({ current, onChoose }: BasketListProps) {
  const t = useTexts(documentsTexts);
  const session = useSignedIn();
  const { query, list } = useBaskets();
  const [typed, setTyped] = useState('');
  const fits = list.filter(({ name }) => name.toLowerCase().includes(typed.trim().toLowerCase()));
  return (
    <nav aria-label={t('baskets.title')} className={classes.side}>
      <NavLink
        component="button"
        type="button"
        className={classes.basket ?? ''}
        label={t('baskets.all')}
        leftSection={<Icon name="document" size={16} />}
        active={current === undefined}
        aria-current={current === undefined ? 'true' : undefined}
        onClick={() => onChoose(undefined)}
      />
      <Text size="xs" fw={600} c="dimmed" mt="sm" mb={4} px="sm">
        {t('baskets.title')}
      </Text>
      {list.length >= many ? (
        <TextInput
          size="xs"
          mb={4}
          aria-label={t('baskets.search')}
          placeholder={t('baskets.search')}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      ) : null}
      {query.isPending ? <Loader size="xs" type="dots" mx="sm" role="status" aria-label={t('baskets.title')} /> : null}
      <ProblemAlert error={query.data === undefined ? query.error : undefined} />
      {query.isSuccess && list.length === 0 ? (
        <Text size="sm" c="dimmed" px="sm">
          {t('baskets.empty')}
        </Text>
      ) : null}
      {fits.map((basket) => (
        <BasketRow key={basket.id} basket={basket} active={basket.id === current} onChoose={onChoose} />
      ))}
      {mayUpload(session) ? (
        <Button
          mt={4}
          size="compact-sm"
          variant="subtle"
          justify="flex-start"
          leftSection={<Icon name="plus" size={16} />}
          onClick={() => openBasketForm(t('baskets.new'), undefined, onChoose)}
        >
          {t('baskets.new')}
        </Button>
      ) : null}
    </nav>
  );
}

interface BasketRowProps {
  readonly basket: Basket;
  readonly active: boolean;
  readonly onChoose: (id: string | undefined) => void;
}

function BasketRow({ basket, active, onChoose }: BasketRowProps) {
  const t = useTexts(documentsTexts);
  const session = useSignedIn();
  const queries = useQueryClient();
  const remove = async () => {
    try {
      await client.documents.deleteBasket({ params: { id: basket.id } });
      if (active) onChoose(undefined);
      showDone(t('baskets.deleted', { name: basket.name }));
      await queries.invalidateQueries({ queryKey: basketsKey });
    } catch (error) {
      showProblem(error);
    }
  };
  return (
    <div
      className={classes.basketRow}
      data-upload-basket={basket.id}
      data-upload-name={basket.name}
      data-upload-refused={basket.access === 'read' ? true : undefined}
    >
      <NavLink
        component="button"
        type="button"
        className={classes.basket ?? ''}
        label={<bdi>{basket.name}</bdi>}
        title={basket.description === '' ? basket.name : `${basket.name} — ${basket.description}`}
        noWrap
        leftSection={<Icon name="basket" size={16} />}
        active={active}
        aria-current={active ? 'true' : undefined}
        onClick={() => onChoose(basket.id)}
      />
      {basket.access === 'read' ? null : (
        <Menu position="bottom-end" withinPortal shadow="md">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t('baskets.actions', { name: basket.name })}>
              <Icon name="dots" size={16} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item
              leftSection={<Icon name="edit" size={16} />}
              onClick={() => openBasketForm(t('baskets.rename'), basket, () => undefined)}
            >
              {t('baskets.rename')}
            </Menu.Item>
            {mayOwn(session, basket) ? (
              <Menu.Item
                leftSection={<Icon name="share" size={16} />}
                onClick={() => openBasketShares(t('shares.title', { name: basket.name }), basket)}
              >
                {t('baskets.share')}
              </Menu.Item>
            ) : null}
            {basket.access === 'manage' ? (
              <Menu.Item color="red" leftSection={<Icon name="trash" size={16} />} onClick={() => void remove()}>
                {t('baskets.delete')}
              </Menu.Item>
            ) : null}
          </Menu.Dropdown>
        </Menu>
      )}
    </div>
  );
}
