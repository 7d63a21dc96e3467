/**
 * Who is signed in. The access token lives in memory alone; the refresh token is a cookie that no script sees, so a
 * reloaded page asks the server who it is. Tabs share that cookie: what one does, the others follow.
 *
 * Guarantee: no renewed token of somebody else, or of another company, is ever used under the present name. Whoever is
 * signed in changes only together with every cache (`onIdentity`).
 */
import { useSyncExternalStore } from 'react';
import { createClient, ProblemError, type Tokens } from '../../../src/client/index.ts';
import type { CompanyRef, LoginAnswer, SignedInUser } from '../../../src/modules/accounts/contract.ts';
import { watchedFetch } from './reach.ts';

export interface SignedInSession {
  readonly status: 'signed-in';
  readonly user: SignedInUser;
  /** Null for operators. */
  readonly company: CompanyRef | null;
  /** This company and those that the person has linked with it. */
  readonly companies: readonly CompanyRef[];
}

export type Session =
  | { readonly status: 'starting' }
  | { readonly status: 'unreachable' }
  /** `ended`: there was a session, which is over. */
  | { readonly status: 'anonymous'; readonly ended: boolean }
  | SignedInSession;

let session: Session = { status: 'starting' };
const listeners = new Set<() => void>();
const identityListeners = new Set<(session: Session) => void>();
const channel = new BroadcastChannel('strongroom.session');

export const client = createClient({ baseUrl: '', web: true, fetch: watchedFetch, onTokens });

export const currentSession = (): Session => session;
export const useSession = (): Session => useSyncExternalStore(onSession, currentSession);

/** For pages behind a guard, where somebody is signed in. */
export function useSignedIn(): SignedInSession {
  const now = useSession();
  const last = useLastSignedIn(now);
  if (last === undefined) throw new Error('nobody is signed in');
  return last;
}

let lastSignedIn: SignedInSession | undefined;
/** A page that is about to be replaced still draws once more. */
function useLastSignedIn(now: Session): SignedInSession | undefined {
  return now.status === 'signed-in' ? now : lastSignedIn;
}

export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Told before anybody else when another person or company is there, or nobody: to throw away what was cached. */
export function onIdentity(listener: (session: Session) => void): () => void {
  identityListeners.add(listener);
  return () => identityListeners.delete(listener);
}

/** Person and company, as one text. */
export const identityOf = (of: Session): string =>
  of.status === 'signed-in' ? `${of.user.id} ${of.company?.id ?? ''}` : 'nobody';

function set(next: Session): void {
  const changed = identityOf(next) !== identityOf(session);
  session = next;
  if (next.status === 'signed-in') lastSignedIn = next;
  if (changed) for (const listener of identityListeners) listener(next);
  for (const listener of listeners) listener();
}

// --- Tokens ----------------------------------------------------------------------------------------------------------

/** What a token says of its owner; only compared, never trusted. */
function ownerOf(tokens: Tokens): string | undefined {
  try {
    const payload = tokens.accessToken.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/');
    const claims = JSON.parse(atob(payload)) as { sub: string; company_id?: string };
    return `${claims.sub} ${claims.company_id ?? ''}`;
  } catch {
    return undefined;
  }
}

/** True while this tab itself signs in or switches, and so expects somebody else. */
let changing = false;

function onTokens(tokens: Tokens | undefined): void {
  if (changing) return;
  if (tokens === undefined) {
    if (session.status === 'signed-in') set({ status: 'anonymous', ended: true });
    return;
  }
  const owner = ownerOf(tokens);
  if (session.status === 'signed-in' && owner !== undefined && owner !== identityOf(session)) {
    // Another tab went on as somebody else, and the cookie is his: nothing of the former may stay, and what was being
    // asked for in the former's name is not asked for in this one.
    set({ status: 'starting' });
    client.setTokens(undefined);
    void start(true);
  }
}

let starting: Promise<void> | undefined;

/** Finds out who is signed in, once; again where `anew`. */
export function start(anew = false): Promise<void> {
  if (anew) starting = undefined;
  starting ??= findOut();
  return starting;
}

async function findOut(): Promise<void> {
  try {
    changing = true;
    if (client.tokens === undefined || session.status !== 'signed-in') await client.accounts.refresh({ body: {} });
    const { user, company, companies } = await client.accounts.me();
    set({ status: 'signed-in', user, company, companies });
  } catch (error) {
    const refused = error instanceof ProblemError && error.status >= 400 && error.status < 500;
    if (refused) set({ status: 'anonymous', ended: false });
    // Whoever is signed in stays: what is typed must not go because the server is away for a moment.
    else if (session.status !== 'signed-in') set({ status: 'unreachable' });
  } finally {
    changing = false;
  }
}

let entering = false;
/** True while whoever calls `enter` is about to lead the person on by himself. */
export const isEntering = (): boolean => entering;

/** Runs what signs somebody in, and goes on as that person; the caller then leads to an address. @throws ProblemError */
export async function enter(sign: () => Promise<LoginAnswer>): Promise<SignedInSession> {
  changing = true;
  try {
    const { user, company, companies } = await sign();
    const next: SignedInSession = { status: 'signed-in', user, company, companies };
    entering = true;
    starting = Promise.resolve();
    set(next);
    channel.postMessage({ identity: identityOf(next) });
    return next;
  } finally {
    changing = false;
    entering = false;
  }
}

/** Goes on in another company; the caller then leads to an address. @throws ProblemError */
export async function enterCompany(body: { company_id: string; password?: string }): Promise<SignedInSession> {
  // What signs in is never sent twice, so that a token which has run out must be renewed before.
  await client.accounts.me();
  return enter(() => client.accounts.switchCompany({ body }));
}

/** @throws where the server does not answer: then the session still lives */
export async function signOut(): Promise<void> {
  changing = true;
  try {
    await client.accounts.logout().catch((error: unknown) => {
      // Over already is as good.
      if (!(error instanceof ProblemError && error.status === 401)) throw error;
    });
    client.setTokens(undefined);
    set({ status: 'anonymous', ended: false });
    channel.postMessage({ identity: 'nobody' });
  } finally {
    changing = false;
  }
}

channel.addEventListener('message', (event: MessageEvent<{ identity: string }>) => {
  if (event.data.identity === identityOf(session)) return;
  client.setTokens(undefined);
  if (event.data.identity === 'nobody') set({ status: 'anonymous', ended: true });
  else {
    set({ status: 'starting' });
    void start(true);
  }
});
