/** The places within the steps of the PostgreSQL placements at which creation and removal can break off. */
import { idPart } from '../../src/kernel/ids.ts';
import { type Elsewhere, faultPoints } from './lifecycle-faults.ts';
import type { PostgresServer } from './postgres.ts';

export const postgresPlacements = ['schema', 'database'] as const;
export type PostgresPlacement = (typeof postgresPlacements)[number];

/** A company of that placement on the server, and how to look for what is left of it. */
export const onServer = (server: PostgresServer, placement: PostgresPlacement): Elsewhere => ({
  config: { placement, postgresUrl: server.url },
  remains: (tenantId) => server.named(idPart(tenantId)),
});

const inside = {
  schema: {
    create: ['place.schema.reserved', 'place.schema.filled'],
    purge: ['remove.schema.locked', 'remove.schema.dropped'],
  },
  database: {
    create: [
      'place.database.reserved',
      'place.template.built',
      'place.database.roles',
      'place.database.copied',
      'place.database.opened',
      'place.database.handed',
    ],
    purge: ['remove.database.locked', 'remove.database.dropped', 'remove.database.roles'],
  },
} as const;

type Fault = readonly [point: string, scenario: 'create' | 'purge'];

/** Within the placement's own verbs. */
export function insidePoints(placement: PostgresPlacement): Fault[] {
  return (['create', 'purge'] as const).flatMap((scenario) =>
    inside[placement][scenario].map((point) => [point, scenario] as const),
  );
}

/** Between the steps of the journal where something of the placement is there or is gone. */
export function betweenPoints(): Fault[] {
  return (['create', 'purge'] as const).flatMap((scenario) =>
    faultPoints(scenario)
      .filter((point) => /\.(place|stamp|migrate|seed|connections|key|database)\.after$/.test(point))
      .map((point) => [point, scenario] as const),
  );
}
