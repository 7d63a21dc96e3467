/** The file store that the configuration asks for. */
import type { Clock } from '../clock.ts';
import type { ControlDb } from '../database/database.ts';
import type { Logger } from '../log.ts';
import type { Secrets } from '../secrets.ts';
import type { Config } from '../settings.ts';
import { createDiskStores } from './disk.ts';
import type { FileStores } from './file-store.ts';

export interface FileParts {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where keys of companies' own are kept. */
  readonly control: ControlDb;
  readonly secrets: Pick<Secrets, 'forTenant'>;
}

export async function openFileStores({ config, clock, log, control, secrets }: FileParts): Promise<FileStores> {
  if (config.fileStore === 'disk') return createDiskStores({ config, clock, log });
  // Read only where it is wanted: the client of S3 takes its time to load.
  const { createS3Stores } = await import('./s3.ts');
  const { createCompanyKeys } = await import('./s3-keys.ts');
  const { createKeysProgram } = await import('./s3-keys-program.ts');
  const program = config.s3KeysCommand;
  const provider = program === null ? undefined : createKeysProgram(program, config, log);
  return createS3Stores({
    config,
    clock,
    log,
    companyKeys: createCompanyKeys({ control, secrets, provider, clock, log }),
  });
}
