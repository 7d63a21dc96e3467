/**
 * The page of the web app with its content security policy: scripts and styles of this origin alone, each page with a
 * nonce of its own for what stands inline; no other origin is ever asked for anything.
 */
import { randomBytes } from 'node:crypto';
import { noBuildPage } from '../pages/no-build.ts';
import type { Page } from '../pages/page.ts';
import type { AppFiles } from './app-files.ts';

/** What the build writes where a nonce goes (`html.cspNonce`). */
const place = /__NONCE__/g;

/** The page as it is answered, made anew each time. */
export function appPage(files: AppFiles): () => Page {
  const { page } = files;
  if (page === undefined) return () => noBuildPage;
  return () => {
    const nonce = randomBytes(18).toString('base64url');
    return { html: page.replaceAll(place, nonce), headers: { 'content-security-policy': policyWith(nonce) } };
  };
}

export function policyWith(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    // Pictures that the app itself makes, and previews that it fetched with its token.
    "img-src 'self' blob: data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "media-src 'self' blob:",
    // Sandboxed viewers.
    "frame-src 'self' blob:",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}
