/**
 * Every setting, once: what it means, its type, its default and its variable. `config.ts` reads values from the
 * defaults, `strongroom.yaml`, the environment and flags, in this order; `strongroom config` and the reference page
 * are made from this table. Nothing is required.
 */
import { placementKinds } from './placements/placement.ts';

type Kind =
  | { readonly type: 'text'; readonly default: string }
  | { readonly type: 'optional'; readonly default: null }
  | { readonly type: 'whole'; readonly default: number; readonly min: number; readonly max: number }
  | { readonly type: 'flag'; readonly default: boolean }
  | { readonly type: 'choice'; readonly default: string; readonly choices: readonly string[] };

export type Setting = Kind & {
  readonly variable: string;
  readonly text: string;
  /** Never printed, logged or shown. */
  readonly secret?: boolean;
};

const text = (variable: string, fallback: string, about: string) =>
  ({ type: 'text', variable, default: fallback, text: about }) as const;
const optional = (variable: string, about: string) =>
  ({ type: 'optional', variable, default: null, text: about }) as const;
const secret = (variable: string, about: string) =>
  ({ type: 'optional', variable, default: null, text: about, secret: true }) as const;
const whole = (variable: string, fallback: number, about: string, min = 0, max = Number.MAX_SAFE_INTEGER) =>
  ({ type: 'whole', variable, default: fallback, text: about, min, max }) as const;
const flag = (variable: string, fallback: boolean, about: string) =>
  ({ type: 'flag', variable, default: fallback, text: about }) as const;
const choice = <const C extends readonly string[]>(variable: string, fallback: C[number], choices: C, about: string) =>
  ({ type: 'choice', variable, default: fallback, choices, text: about }) as const;

const MiB = 1024 * 1024;

export const settings = {
  dataDir: text('STRONGROOM_DATA_DIR', './data', 'Folder that holds everything of the embedded default.'),
  host: text('HOST', '127.0.0.1', 'Address to listen on.'),
  port: whole('PORT', 8000, 'Port to listen on; 0 takes a free one.', 0, 65_535),
  publicUrl: optional(
    'STRONGROOM_PUBLIC_URL',
    'Address that links in mails and answers begin with; default is where the server listens.',
  ),
  trustProxy: flag('STRONGROOM_TRUST_PROXY', false, 'Believe forwarding headers; only behind a proxy of your own.'),

  controlUrl: secret(
    'MANAGEMENT_DATABASE_URL',
    'Control database (postgres://…); without it a SQLite file in the data folder.',
  ),
  controlDirectUrl: secret(
    'MANAGEMENT_DATABASE_DIRECT_URL',
    'The same control database without a pooler in between, for its migrations and for messages; default is MANAGEMENT_DATABASE_URL.',
  ),
  postgresUrl: secret(
    'STRONGROOM_POSTGRES_URL',
    'Server and provisioner login for companies placed by schema and database.',
  ),
  postgresPooledUrl: secret(
    'STRONGROOM_POSTGRES_POOLED_URL',
    'The same server through a pooler in transaction mode, for requests; host and port count. Nothing is kept prepared there.',
  ),
  postgresRegion: optional('STRONGROOM_POSTGRES_REGION', 'Region of the server of STRONGROOM_POSTGRES_URL.'),
  postgresServers: secret(
    'STRONGROOM_POSTGRES_SERVERS',
    'Further PostgreSQL servers, as a JSON list of {"name", "region", "url", "pooled_url"}; a company that asks for a region is placed on a server there.',
  ),
  postgresConnections: whole(
    'STRONGROOM_POSTGRES_CONNECTIONS',
    60,
    'Connections for requests that all server processes together open to one PostgreSQL server; each process takes its share.',
    2,
    100_000,
  ),
  postgresPrepared: flag(
    'STRONGROOM_POSTGRES_PREPARED',
    true,
    'Keep statements prepared on connections to companies placed on PostgreSQL; false where STRONGROOM_POSTGRES_URL is itself a pooler in transaction mode.',
  ),
  postgresRoleConnections: whole(
    'STRONGROOM_POSTGRES_ROLE_CONNECTIONS',
    20,
    'Connections that the login of one company may hold on PostgreSQL, over all server processes; set when it is made.',
    2,
    10_000,
  ),
  schemaTenants: whole(
    'STRONGROOM_SCHEMA_TENANTS',
    500,
    'Companies in one shared database of the placement schema; then the next database begins.',
    1,
    10_000,
  ),
  placement: choice('STRONGROOM_PLACEMENT', 'sqlite', placementKinds, 'Placement of new companies.'),
  fileStore: choice('STRONGROOM_FILE_STORE', 'disk', ['disk', 's3'], 'Where objects are kept.'),
  maxConnections: whole(
    'STRONGROOM_MAX_CONNECTIONS',
    200,
    'Connections to tenant databases that may be open at once; on PostgreSQL, to one server.',
    2,
    100_000,
  ),
  tenantConnections: whole(
    'STRONGROOM_TENANT_CONNECTIONS',
    5,
    'Connections that one tenant may hold at once.',
    2,
    1_000,
  ),
  connectionIdleSeconds: whole(
    'STRONGROOM_CONNECTION_IDLE_SECONDS',
    60,
    'An unused tenant connection is closed after this long.',
    1,
    86_400,
  ),
  connectionWaitSeconds: whole(
    'STRONGROOM_CONNECTION_WAIT_SECONDS',
    10,
    'Longest wait for a connection before 503.',
    1,
    600,
  ),
  statementSeconds: whole(
    'STRONGROOM_STATEMENT_SECONDS',
    15,
    'A statement that runs longer is ended and answered 503.',
    1,
    3_600,
  ),
  sqliteWorkers: whole('STRONGROOM_SQLITE_WORKERS', 2, 'Threads that hold the SQLite connections of tenants.', 1, 64),
  schemaTemplate: text(
    'STRONGROOM_SCHEMA_TEMPLATE',
    'tenant_{id}',
    'Physical name of schema, database and role of a tenant.',
  ),
  pathTemplate: text('STRONGROOM_PATH_TEMPLATE', 'tenants/{id}/tenant.db', 'Path of a tenant file in the data folder.'),

  s3Endpoint: optional('AWS_ENDPOINT_URL_S3', 'Endpoint of an S3-compatible server.'),
  s3Region: text('AWS_REGION', 'us-east-1', 'Region of the S3 server.'),
  s3AccessKeyId: secret('AWS_ACCESS_KEY_ID', 'Access key of the S3 server.'),
  s3SecretAccessKey: secret('AWS_SECRET_ACCESS_KEY', 'Secret key of the S3 server.'),
  s3SessionToken: secret('AWS_SESSION_TOKEN', 'Session token of temporary S3 keys.'),
  s3SharedBucket: optional(
    'STRONGROOM_S3_SHARED_BUCKET',
    'One bucket for all companies, each below its own prefix; for providers with few buckets.',
  ),
  s3TimeoutSeconds: whole('STRONGROOM_S3_TIMEOUT_SECONDS', 20, 'Longest wait for one answer of the S3 server.', 1, 600),
  s3PresignedSeconds: whole(
    'STRONGROOM_S3_PRESIGNED_SECONDS',
    0,
    'Life of the addresses at which S3 itself serves a download; 0 means that downloads pass through the server.',
    0,
    3_600,
  ),
  s3KeysCommand: optional(
    'STRONGROOM_S3_KEYS_COMMAND',
    'Program that gives every company S3 keys of its own, which reach its bucket alone; without it all buckets are reached with the keys above.',
  ),
  bucketPrefix: text('AWS_S3_BUCKET_PREFIX', 'strongroom', 'First part of every bucket name: {prefix}-{id}.'),
  neonApiKey: secret('NEON_API_KEY', 'Key of the Neon API.'),
  neonApiUrl: text('NEON_API_URL', 'https://console.neon.tech/api/v2', 'Address of the Neon API.'),
  neonOrgId: optional('NEON_ORG_ID', 'Organisation that owns the Neon projects.'),
  neonRegion: optional('NEON_REGION', 'Region of new Neon projects, as aws-eu-central-1; default is that of Neon.'),
  neonCallsPerSecond: whole(
    'NEON_CALLS_PER_SECOND',
    10,
    'Calls of the Neon API that this process makes; Neon allows an account 700 a minute.',
    1,
    1_000,
  ),
  neonMode: choice(
    'STRONGROOM_NEON_MODE',
    'project',
    ['project', 'database'],
    'What a new company gets at Neon: a project of its own, or a database in one project for all.',
  ),
  neonPooled: flag(
    'STRONGROOM_NEON_POOLED',
    false,
    'Requests of companies at Neon go through its pooler; migrations never do.',
  ),

  keyRing: secret(
    'STRONGROOM_KEY_RING',
    'Key ring as id:base64 pairs, newest first; without it keys.json in the data folder.',
  ),
  accessTokenSeconds: whole('STRONGROOM_ACCESS_TOKEN_SECONDS', 600, 'Life of an access token.', 5, 86_400),
  refreshTokenDays: whole('STRONGROOM_REFRESH_TOKEN_DAYS', 30, 'Life of a session that is not used.', 1, 3_650),
  invitationDays: whole('STRONGROOM_INVITATION_DAYS', 7, 'Life of an invitation.', 1, 365),
  hashConcurrency: whole(
    'STRONGROOM_HASH_CONCURRENCY',
    0,
    'Password hashes computed at once; 0 means one more than there are cores.',
    0,
    256,
  ),
  signInAddressLimit: whole(
    'STRONGROOM_SIGN_IN_ADDRESS_LIMIT',
    120,
    'Failed sign-ins an address may make a minute.',
    1,
  ),
  signInAccountLimit: whole(
    'STRONGROOM_SIGN_IN_ACCOUNT_LIMIT',
    10,
    'Failed sign-ins on one name before the delay begins.',
    1,
  ),
  inviteLimit: whole('STRONGROOM_INVITE_LIMIT', 200, 'Invitations that one person may send a minute.', 1),

  maxUploadBytes: whole('STRONGROOM_MAX_UPLOAD_BYTES', 10 * 1024 * MiB, 'Largest file.', 1),
  defaultQuotaBytes: whole(
    'STRONGROOM_DEFAULT_QUOTA_BYTES',
    0,
    'Quota of new companies in logical bytes; 0 means none.',
  ),
  freeSpaceFloorBytes: whole(
    'STRONGROOM_FREE_SPACE_FLOOR_BYTES',
    64 * MiB,
    'Uploads are refused (507) when less than this is free; on a file system under 20 times this, a twentieth of it.',
  ),
  bodyLimitBytes: whole('STRONGROOM_BODY_LIMIT_BYTES', 1 * MiB, 'Largest JSON body.', 1_024),
  minBodyBytesPerSecond: whole(
    'STRONGROOM_MIN_BODY_RATE',
    256,
    'A body that comes slower than this over 20 s is ended with 408.',
  ),
  requestSeconds: whole(
    'STRONGROOM_REQUEST_SECONDS',
    30,
    'Headers and JSON bodies must arrive within this time.',
    1,
    3_600,
  ),
  drainSeconds: whole('STRONGROOM_DRAIN_SECONDS', 20, 'Time that running requests get after SIGTERM.', 0, 3_600),
  graceDays: whole('STRONGROOM_GRACE_DAYS', 7, 'A deleted company can be restored for this long.', 0, 3_650),
  trashDays: whole('STRONGROOM_TRASH_DAYS', 30, 'The trash empties after this long.', 1, 3_650),
  uploadDays: whole(
    'STRONGROOM_UPLOAD_DAYS',
    1,
    'An unfinished resumable upload expires after this long without a byte.',
    1,
    365,
  ),
  objectGraceSeconds: whole(
    'STRONGROOM_OBJECT_GRACE_SECONDS',
    3_600,
    'An object without a reference is removed after this long.',
    0,
  ),

  smtpUrl: secret(
    'STRONGROOM_SMTP_URL',
    'SMTP server for mail (smtp://user:password@host:port); without it links are in answers alone.',
  ),
  mailFrom: text('STRONGROOM_MAIL_FROM', 'Strongroom <no-reply@localhost>', 'Sender of mails.'),

  logLevel: choice(
    'STRONGROOM_LOG_LEVEL',
    'info',
    ['silent', 'error', 'warn', 'info', 'debug', 'trace'],
    'How much is logged.',
  ),
  logFormat: choice(
    'STRONGROOM_LOG_FORMAT',
    'auto',
    ['auto', 'json', 'pretty'],
    'Form of the log; auto is pretty on a terminal.',
  ),
  metricsToken: secret(
    'STRONGROOM_METRICS_TOKEN',
    'Bearer token for /metrics; without it only callers on the same host may read it.',
  ),
  migrateOnStart: flag('STRONGROOM_MIGRATE_ON_START', true, 'Start the fleet migration when the server starts.'),
  runWorker: flag('STRONGROOM_WORKER', true, 'Run jobs and lifecycle in this process.'),
  runLifecycle: flag(
    'STRONGROOM_LIFECYCLE',
    true,
    'Make and remove companies in this process; false leaves that to a worker on the same control database (PostgreSQL), and no login that may is kept.',
  ),
  fleetConcurrency: whole(
    'STRONGROOM_FLEET_CONCURRENCY',
    4,
    'Companies visited at once by migrations and doctor.',
    1,
    64,
  ),
  development: flag('STRONGROOM_DEVELOPMENT', false, 'Allows commands that destroy everything (reset).'),
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof settings;

type ValueOf<S extends Setting> = S extends { type: 'whole' }
  ? number
  : S extends { type: 'flag' }
    ? boolean
    : S extends { type: 'optional' }
      ? string | null
      : S extends { type: 'choice'; choices: readonly (infer C)[] }
        ? C
        : string;

export type Config = { readonly [K in SettingName]: ValueOf<(typeof settings)[K]> };
