/**
 * Keys from a program of the operator's (STRONGROOM_S3_KEYS_COMMAND), because every provider gives them in its own way.
 *
 * `<program> grant` and `<program> revoke` get one line of JSON on standard input and, of the environment, the settings
 * of S3 alone. `grant` prints the keys as JSON. What it prints is a secret: none of it is ever logged.
 */
import { execFile } from 'node:child_process';
import { second } from '../clock.ts';
import type { Logger } from '../log.ts';
import type { S3Keys, S3Settings } from './s3-client.ts';
import { storageFailed } from './s3-errors.ts';
import type { KeyProvider } from './s3-keys.ts';

const longest = 60 * second;
const mostBytes = 64 * 1024;
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function createKeysProgram(program: string, config: S3Settings, log: Logger): KeyProvider {
  const given = {
    AWS_REGION: config.s3Region,
    AWS_ENDPOINT_URL_S3: config.s3Endpoint,
    AWS_ACCESS_KEY_ID: config.s3AccessKeyId,
    AWS_SECRET_ACCESS_KEY: config.s3SecretAccessKey,
    AWS_SESSION_TOKEN: config.s3SessionToken,
  };
  const known = Object.entries(given).filter((pair): pair is [string, string] => pair[1] !== null);
  const env = { PATH: searchPath, ...Object.fromEntries(known) };

  function run(verb: 'grant' | 'revoke', input: Record<string, string | null>): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        program,
        [verb],
        { env, timeout: longest, killSignal: 'SIGKILL', maxBuffer: mostBytes },
        (error, output) => {
          if (error === null) return resolve(output);
          const { code, signal } = error;
          log.error({ program, verb, bucket: input.bucket, code, signal }, 'the program that gives S3 keys failed');
          // Its own message holds what was printed.
          reject(storageFailed(new Error(`the program that gives S3 keys ended with ${code ?? signal}`)));
        },
      );
      // One that ends without reading its input has said what it had to say.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(`${JSON.stringify(input)}\n`);
    });
  }

  return {
    async grant({ bucket, prefix }) {
      const keys = keysIn(await run('grant', { bucket, prefix }));
      if (keys !== undefined) return keys;
      log.error({ program, bucket }, 'the program that gives S3 keys printed no keys');
      throw storageFailed(new Error('the program that gives S3 keys printed no keys'));
    },
    async revoke({ bucket, prefix }, accessKeyId) {
      await run('revoke', { bucket, prefix, access_key_id: accessKeyId });
    },
  };
}

const isKey = (value: unknown): value is string => typeof value === 'string' && value !== '' && value.length <= 8_192;

function keysIn(output: string): S3Keys | undefined {
  try {
    const { access_key_id, secret_access_key, session_token } = JSON.parse(output) as Record<string, unknown>;
    if (!isKey(access_key_id) || !isKey(secret_access_key)) return undefined;
    const keys = { accessKeyId: access_key_id, secretAccessKey: secret_access_key };
    return isKey(session_token) ? { ...keys, sessionToken: session_token } : keys;
  } catch {
    return undefined;
  }
}
