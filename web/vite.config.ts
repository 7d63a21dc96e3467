/**
 * How the web app is built: into `web/dist`, hashed names, nothing inlined, every text file compressed once beside
 * itself, and a place for the nonce that the server puts into each page.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const root = import.meta.dirname;

/** Writes `.br` and `.gz` beside what is worth it, so that the server compresses nothing. */
function compressed(folder: string): Plugin {
  return {
    name: 'strongroom-compressed',
    apply: 'build',
    closeBundle() {
      for (const name of readdirSync(folder)) {
        const path = join(folder, name);
        if (!/\.(js|css|svg|mjs)$/.test(name) || statSync(path).size < 1_024) continue;
        const bytes = readFileSync(path);
        const params = { [constants.BROTLI_PARAM_QUALITY]: 9 };
        writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }));
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  root,
  // Replaced by the server in each page it sends.
  html: { cspNonce: '__NONCE__' },
  // The contracts state shapes that only the server checks.
  resolve: { alias: [{ find: /^zod$/, replacement: join(root, 'src/app/shapes.ts') }] },
  plugins: [react(), compressed(join(root, 'dist/assets'))],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2023',
    // Browsers that know `light-dark()`: rewritten for older ones it would not follow the chosen theme.
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
    license: false,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:3000', '/health': 'http://127.0.0.1:3000' } },
});
