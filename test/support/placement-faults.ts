/** The places within the steps of the PostgreSQL placements at which creation and removal can break off. */
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { testConfig } from '../../src/kernel/config.ts';
import { createS3Client } from '../../src/kernel/files/s3-client.ts';
import { idPart } from '../../src/kernel/ids.ts';
import type { Config } from '../../src/kernel/settings.ts';
import { anyKeys } from '../files/s3-under-test.ts';
import { startFaultServer } from '../s3/fault-server.ts';
import { gatewayInstalled, startGateway } from '../s3/gateway.ts';
import { type Elsewhere, faultPoints, scenarios } from './lifecycle-faults.ts';
import type { Scenario } from './lifecycle-scenarios.ts';
import type { PostgresServer } from './postgres.ts';

export const postgresPlacements = ['schema', 'database'] as const;
export type PostgresPlacement = (typeof postgresPlacements)[number];

/** A company of that placement on the server, its bucket where it is given, and how to look for what is left of it. */
export const onServer = (server: PostgresServer, placement: PostgresPlacement, buckets?: Buckets): Elsewhere => ({
  config: { placement, postgresUrl: server.url, ...buckets?.config },
  async remains(tenantId) {
    const part = idPart(tenantId);
    return [...(await server.named(part)), ...((await buckets?.named(part)) ?? [])];
  },
  // Templates and shared databases stay; what they are built under does not.
  strays: () => server.named('strongroom_build_'),
});

/** An S3 server for the buckets of companies. */
export interface Buckets {
  readonly config: Partial<Config>;
  /** Buckets whose name carries this text. */
  named(part: string): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** The real gateway where it is installed, else one in memory. */
export async function startBuckets(): Promise<Buckets> {
  const gateway = gatewayInstalled() ? await startGateway() : undefined;
  const server = gateway ?? (await startFaultServer());
  const keys = (await gateway?.user('strongroom')) ?? anyKeys();
  const config = {
    fileStore: 's3' as const,
    s3Endpoint: server.endpoint,
    s3AccessKeyId: keys.accessKeyId,
    s3SecretAccessKey: keys.secretAccessKey,
  };
  const client = createS3Client(testConfig(config));
  return {
    config,
    async named(part) {
      const { Buckets = [] } = await client.send(new ListBucketsCommand({}));
      return Buckets.flatMap(({ Name = '' }) => (Name.includes(part) ? [`bucket ${Name}`] : []));
    },
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

const inside = {
  schema: {
    create: ['place.schema.reserved', 'place.shared.made', 'place.schema.filled'],
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

type Fault = readonly [point: string, scenario: Scenario];

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

/** Before the first step of the journal and after each: what comes after one comes before the next. */
export function everyStep(): Fault[] {
  return scenarios.flatMap((scenario) =>
    faultPoints(scenario)
      .filter((point, index) => index === 0 || point.endsWith('.after'))
      .map((point) => [point, scenario] as const),
  );
}
