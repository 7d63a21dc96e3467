// The program runs unbuilt, so most of a short command would be reading TypeScript. Node keeps what it has compiled in a
// folder of the package, where nobody but who installed it can write; where that cannot be, it compiles again. Plain
// JavaScript and loaded first: with everything kept, a command need not even load what reads TypeScript.
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled/', import.meta.url)));
