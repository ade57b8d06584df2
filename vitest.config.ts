import { fileURLToPath } from 'node:url';

export default {
  // One copy of graphql: vite would load index.mjs for our files while type-graphql and Apollo load index.js.
  resolve: {
    alias: [
      { find: /^graphql$/, replacement: fileURLToPath(new URL('./node_modules/graphql/index.js', import.meta.url)) },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // One PostgreSQL for the whole run; its databases are made by test/testkit/postgres.ts.
    globalSetup: ['test/testkit/global-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
};
