#!/usr/bin/env node
// The command as npm installs it. What runs is the build; without one it says how to get it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/src/main.js', import.meta.url);
if (!existsSync(fileURLToPath(main))) {
  console.error('sankofa-it is not built yet: run `npm run build` first');
  process.exit(1);
}
await import(main.href);
