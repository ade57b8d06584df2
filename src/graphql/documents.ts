import {
  type ASTNode,
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  parse,
  validate,
  visit,
} from 'graphql';

const MOST_TOKENS = 10_000;
const MOST_DOCUMENTS = 500;

/** Thousands subscribe with one and the same text: it is parsed and validated once. Wrong ones are not remembered. */
export class Documents {
  readonly #schema: GraphQLSchema;
  readonly #byText = new Map<string, DocumentNode>();
  readonly #ids = new WeakMap<DocumentNode, number>();
  readonly #told = new WeakMap<DocumentNode, Map<string, readonly string[]>>();
  #lastId = 0;

  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  read(text: string): DocumentNode | readonly GraphQLError[] {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const document = parse(text, { maxTokens: MOST_TOKENS });
    const wrong = validate(this.#schema, document);
    if (wrong.length > 0) return wrong.map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED'));
    const [oldest] = this.#byText.keys();
    if (this.#byText.size >= MOST_DOCUMENTS && oldest !== undefined) this.#byText.delete(oldest);
    this.#byText.set(text, document);
    return document;
  }

  /**
   * What an event's message depends on besides the event and the rights of who gets it, as a key. A subscription's own
   * arguments choose which events are told, not what is told of them: whoever resumes shares with the rest.
   */
  key(document: DocumentNode, operationName: string | undefined, variables: Readonly<Record<string, unknown>>): string {
    let id = this.#ids.get(document);
    if (id === undefined) {
      this.#lastId += 1;
      id = this.#lastId;
      this.#ids.set(document, id);
    }
    const names = this.#toldBy(document, operationName);
    return JSON.stringify([id, operationName ?? null, names.map((name) => variables[name] ?? null)]);
  }

  #toldBy(document: DocumentNode, operationName: string | undefined): readonly string[] {
    const byName = this.#told.get(document) ?? new Map<string, readonly string[]>();
    this.#told.set(document, byName);
    const known = byName.get(operationName ?? '');
    if (known !== undefined) return known;
    const names = variablesBelowRoot(document, operationName);
    byName.set(operationName ?? '', names);
    return names;
  }
}

/** Variables that are used elsewhere than as an argument of a root field. */
function variablesBelowRoot(document: DocumentNode, operationName: string | undefined): readonly string[] {
  const names = new Set<string>();
  const note = (node: ASTNode) => visit(node, { Variable: ({ name }) => void names.add(name.value) });
  for (const root of getOperationAST(document, operationName)?.selectionSet.selections ?? []) {
    if (root.kind === Kind.FIELD)
      for (const part of [...(root.directives ?? []), root.selectionSet]) part && note(part);
    else note(root);
  }
  for (const definition of document.definitions) if (definition.kind === Kind.FRAGMENT_DEFINITION) note(definition);
  return [...names];
}

export function coded({ message, nodes, source, positions }: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(message, { nodes, source, positions, extensions: { code } });
}
