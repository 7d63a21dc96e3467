/** What is shown where the app should be and nobody built it. */
import { makePage } from './page.ts';

export const noBuildPage = makePage({
  title: 'Strongroom',
  main: `<h1>The web app is not built</h1>
<p>The server runs; only its pages are missing. In the folder of the program, run <code>npm ci</code>, which builds
them, or <code>npm run build:web</code>, and start the server again.</p>
<p class="soft">Until then the command line and the API do everything: <a href="/docs">read and try the API</a>.</p>`,
});
