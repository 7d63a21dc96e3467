// Builds the web app when packages are installed (`prepare`). Without what builds it (`npm ci --omit=dev`) it says so
// in one line and leaves whatever was built before. With `serve` it serves the app while it is written.
import { fileURLToPath } from 'node:url';

// Whatever the surroundings say (a test run says `test`): what is shipped is React without its checks.
if (process.argv[2] !== 'serve') process.env.NODE_ENV = 'production';

const configFile = fileURLToPath(new URL('./vite.config.ts', import.meta.url));

async function tools() {
  try {
    await import('@vitejs/plugin-react');
    return await import('vite');
  } catch (error) {
    if (error?.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

const vite = await tools();
if (vite === undefined) {
  console.log('The web app is not built: its build tools are not installed.');
} else if (process.argv[2] === 'serve') {
  const server = await vite.createServer({ configFile });
  await server.listen();
  server.printUrls();
} else {
  await vite.build({ configFile, logLevel: 'warn' });
}
