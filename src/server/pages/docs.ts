/** The page at /docs: reads /openapi.json, lists every operation, and sends requests from the browser. */
import { makePage } from './page.ts';

export const docsPage = makePage({
  title: 'Strongroom API',
  script: './docs.js',
  wide: true,
  main: `<h1>Strongroom API</h1>
<p class="soft">Made from the contract of this very server. <a href="/openapi.json">OpenAPI document</a></p>
<label for="token">Access token</label>
<input id="token" autocomplete="off" spellcheck="false" placeholder="from POST /api/auth/login; kept in this page alone">
<label for="filter">Find</label>
<input id="filter" type="search" placeholder="path or words">
<p role="alert" hidden></p>
<div id="operations">Loading…</div>`,
});
