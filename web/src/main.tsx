/** Where the app begins in the browser. */
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '@mantine/spotlight/styles.css';
import './app/app.css';
import { createRoot } from 'react-dom/client';
import { App } from './app/app.tsx';
import { ForbiddenError } from './app/forbidden.ts';
import { start } from './app/session.ts';
import { firstLanguage } from './kit/language.ts';

// What libraries put into <style> must carry the nonce of this page (content security policy).
Object.assign(globalThis, {
  __webpack_nonce__: document.querySelector<HTMLMetaElement>('meta[property=csp-nonce]')?.nonce,
});

// Who is signed in is asked for meanwhile.
void start();
await firstLanguage();

createRoot(document.getElementById('root')!, {
  onCaughtError(error) {
    // A guard's refusal is a page of its own, not a fault.
    if (!(error instanceof ForbiddenError)) console.error(error);
  },
}).render(<App />);
