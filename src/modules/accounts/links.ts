/** One-time links. Their base is configuration or the address that the server listens on, never a header of a request. */
import type { Config } from '../../kernel/settings.ts';

export interface Links {
  /** Told by the server once it listens, for where no public address is configured. */
  listening(base: string): void;
  readonly base: string;
  invitation(token: string): string;
  passwordReset(token: string): string;
  setup(token: string): string;
}

export function createLinks(config: Pick<Config, 'publicUrl' | 'host' | 'port'>): Links {
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  let heard = `http://${host}:${config.port}`;
  const base = () => (config.publicUrl ?? heard).replace(/\/+$/, '');
  return {
    listening(address) {
      heard = address;
    },
    get base() {
      return base();
    },
    invitation: (token) => `${base()}/invitation?token=${token}`,
    passwordReset: (token) => `${base()}/reset-password?token=${token}`,
    setup: (token) => `${base()}/setup?token=${token}`,
  };
}
