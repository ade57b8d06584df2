import type { ApolloServerPlugin } from '@apollo/server';
import { type DocumentNode, type ExecutionResult, type GraphQLSchema, OperationTypeNode } from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import type { Context } from './context.js';
import { type FaceLog, outwardError } from './errors.js';

/** How many operations are kept compiled; the one unused for longest goes first. */
const MOST_COMPILED = 500;
/** Compiling costs about a millisecond: an operation that comes once is not worth it, and a flood of them an attack. */
const COMPILE_AT_HIT = 2;

type Run = (context: Context, variables: Record<string, unknown>) => ExecutionResult | Promise<ExecutionResult>;
type Entry = { hits: number; run: Run | 'uncompilable' | undefined };

/** Compiled operations by document and operation name. Apollo hands out one document object per query text. */
export class CompiledOperations {
  readonly #schema: GraphQLSchema;
  readonly #entries = new Map<DocumentNode, Map<string, Entry>>();
  readonly #most: number;

  constructor(schema: GraphQLSchema, most = MOST_COMPILED) {
    this.#schema = schema;
    this.#most = most;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** undefined: not compiled (yet): graphql-js runs it. */
  find(document: DocumentNode, operationName: string | undefined): Run | undefined {
    const byName = this.#touched(document);
    const key = operationName ?? '';
    const entry = byName.get(key) ?? { hits: 0, run: undefined };
    byName.set(key, entry);
    entry.hits++;
    if (entry.run === undefined && entry.hits >= COMPILE_AT_HIT) entry.run = this.#compile(document, operationName);
    return typeof entry.run === 'function' ? entry.run : undefined;
  }

  #touched(document: DocumentNode): Map<string, Entry> {
    const byName = this.#entries.get(document) ?? new Map<string, Entry>();
    this.#entries.delete(document);
    this.#entries.set(document, byName);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#most && oldest !== undefined) this.#entries.delete(oldest);
    return byName;
  }

  #compile(document: DocumentNode, operationName: string | undefined): Run | 'uncompilable' {
    const compiled = compileQuery<Record<string, unknown>, Record<string, unknown>>(
      this.#schema,
      document,
      operationName,
      { disablingCapturingStackErrors: true },
    );
    if (!isCompiledQuery(compiled)) return 'uncompilable';
    return (context, variables) => compiled.query({}, context, variables);
  }
}

/** Runs queries compiled, behind a public hook of Apollo. Parsing, validation, limits and permissions stay where they are. */
export function jitPlugin(schema: GraphQLSchema, log: FaceLog): ApolloServerPlugin<Context> {
  const operations = new CompiledOperations(schema);
  return {
    async requestDidStart() {
      return {
        async responseForOperation({ document, operation, operationName, request, response, contextValue }) {
          // Mutations run one after another, which graphql-js is trusted with.
          if (operation.operation !== OperationTypeNode.QUERY) return null;
          const run = operations.find(document, operationName ?? undefined);
          if (run === undefined) return null;
          const result = await run(contextValue, request.variables ?? {});
          // No data at all: nothing was run, as a variable is wrong. graphql-js says so in the words Apollo knows.
          if (result.data === undefined) return null;
          const errors = result.errors?.map((error) => outwardError(log, error));
          const singleResult = { data: result.data, ...(errors && errors.length > 0 && { errors }) };
          return { http: response.http, body: { kind: 'single', singleResult } };
        },
      };
    },
  };
}
