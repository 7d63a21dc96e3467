/**
 * How a PostgreSQL server is reached by an address: in time, and over TLS with its certificate and name verified wherever
 * it is not on this host. Only the address itself switches that off, by name: `sslmode=disable` (no TLS) or
 * `sslmode=no-verify` (TLS with whoever answers).
 */
import { isIP } from 'node:net';
import type pg from 'pg';

/** @param connectMs longest wait for a connection */
export function postgresClientConfig(
  url: string | URL,
  applicationName: string,
  connectMs: number,
): pg.ClientConfig & { readonly connectionString: string } {
  const address = new URL(url);
  if (!isThisHost(address) && !address.searchParams.has('sslmode')) {
    // `ssl=…` would be read as well, and could undo it without saying so.
    address.searchParams.delete('ssl');
    address.searchParams.set('sslmode', 'verify-full');
  }
  return {
    connectionString: address.href,
    application_name: applicationName,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  };
}

/** Whether the server of an address is on this host. The driver prefers `?host=` to the host of the address. */
export function isThisHost(address: URL): boolean {
  const host = address.searchParams.get('host') ?? decodeURIComponent(address.hostname).replace(/^\[|\]$/g, '');
  if (host === '' || host.startsWith('/') || host === 'localhost') return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}
