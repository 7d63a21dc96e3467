/**
 * Pages that the server itself serves until the web app stands: one file each, nothing loaded from elsewhere. The
 * content security policy names the digest of the page's own script and style, so nothing else runs.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface Page {
  readonly html: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PageParts {
  readonly title: string;
  /** The inside of `<main>`. */
  readonly main: string;
  /** File beside this one with the script, without types: it runs in the browser. */
  readonly script?: string;
  readonly wide?: boolean;
}

const read = (name: string) => readFileSync(new URL(name, import.meta.url), 'utf8');
const style = read('./style.css');

export function makePage(parts: PageParts): Page {
  const script = parts.script === undefined ? '' : read(parts.script);
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${parts.title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body${parts.wide === true ? ' class="wide"' : ''}>
<main>
${parts.main}
</main>
${script === '' ? '' : `<script>${script}</script>\n`}</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    `script-src ${script === '' ? "'none'" : digest(script)}`,
    `style-src ${digest(style)}`,
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return { html, headers: { 'content-security-policy': policy.join('; ') } };
}

function digest(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
