#!/usr/bin/env node
// The executable: says in one sentence what is missing on an older Node, else starts src/cli. Plain JavaScript, and no
// newer than Node 12 reads, so that the sentence is what people see.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 24 || (major === 24 && minor < 12)) {
  console.error(
    `Strongroom needs Node 24.12 or later and this is ${process.version}: install it, or use npm start and npm run strongroom in the repository, which bring their own.`,
  );
  process.exitCode = 1;
} else {
  import('./compile-cache.js')
    .then(() => import('../src/cli/index.ts'))
    .then((cli) => cli.main(process.argv.slice(2)))
    .catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
}
