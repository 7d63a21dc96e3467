/**
 * Secrets: one key ring for the process, one data key per tenant wrapped by the ring.
 *
 * Values are sealed with AES-256-GCM (random 96-bit nonce); tenant, purpose and key version are bound as associated
 * data, so a sealed value moved to another tenant, row or purpose does not open. Destroying a tenant's data key makes
 * everything sealed under it unreadable, in backups too.
 */

/** Seals and opens values of one tenant. `purpose` names the place, as `journal:payload`. */
export interface TenantSecrets {
  seal(purpose: string, plain: string): string;
  /** @throws internal `sealed_value_unreadable` */
  open(purpose: string, sealed: string): string;
}

export interface Secrets {
  /** For values of the control database that belong to no tenant. */
  readonly control: TenantSecrets;
  /** A new data key for a tenant, wrapped by the ring: stored in the tenant's control row. */
  newTenantKey(tenantId: string): string;
  forTenant(tenantId: string, wrappedKey: string): TenantSecrets;
  /** HMAC-SHA-256 in hex under a key of the ring derived for `purpose`; for look-ups by digest and for seals. */
  digest(purpose: string, value: string): string;
  /** 32 bytes derived from the ring for `purpose` (HKDF, RFC 5869). */
  derive(purpose: string): Buffer;
  /** The Ed25519 key pairs that sign access tokens: newest first; all verify. */
  readonly signingKeys: readonly SigningKey[];
}

export interface SigningKey {
  readonly kid: string;
  /** 32-byte seed of the private key. */
  readonly seed: Buffer;
}
