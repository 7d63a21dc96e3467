/**
 * A link in a row of a table: goes without loading the page anew, and costs one element. The router's own link looks at
 * the address again for every one of them, which thousands of rows feel.
 */
import { useRouter } from '@tanstack/react-router';
import type { MouseEvent, ReactNode } from 'react';
import classes from './row-link.module.css';

export function RowLink({ to, title, children }: { to: string; title?: string; children: ReactNode }) {
  const router = useRouter();
  const follow = (event: MouseEvent) => {
    // A new tab or window, or a download, is the browser's.
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    void router.navigate({ to });
  };
  return (
    <a href={to} title={title} className={classes.link} onClick={follow}>
      <bdi>{children}</bdi>
    </a>
  );
}
