/** The token of a one-time link: taken from the address once, which then no longer shows it. */
import { useParams } from '@tanstack/react-router';
import { useEffect, useState } from 'react';

export function useOneTimeToken(): string {
  const { token: fromPath } = useParams({ strict: false }) as { token?: string };
  const [token] = useState(() => new URLSearchParams(location.search).get('token') ?? fromPath ?? '');
  useEffect(() => {
    // It must not stay in the address bar, the history or a screenshot.
    history.replaceState(history.state, '', `/${location.pathname.split('/')[1]}`);
  }, []);
  return token;
}
