import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { may, type Principal } from '../domain/access.js';
import { DEFAULT_FIRST } from '../domain/page.js';
import { refused } from './errors.js';

/** Objects an operation may build, roughly; a leaf is a tenth of one. */
export const MOST_COST = 100_000;
export const MOST_COST_OF_EXPORT = 3_000_000;
export const MOST_DEPTH = 12;
/** What a list that is no connection is taken to hold: a guest has a few addresses, devices, findings. */
const USUAL_LIST = 3;
const LEAF = 0.1;

interface Weight {
  readonly cost: number;
  readonly depth: number;
}

/** Refuses an operation that would cost too much, before anything of it runs. The document has been validated. */
export function checkCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
  principal: Principal,
): void {
  const { cost, depth } = new Scale(schema, document, variables).weigh(operation);
  if (depth > MOST_DEPTH) {
    throw refused(`the query is ${depth} levels deep; at most ${MOST_DEPTH} are allowed`, 'QUERY_TOO_COMPLEX');
  }
  const most = may(principal, 'inventory:export') ? MOST_COST_OF_EXPORT : MOST_COST;
  if (cost > most) {
    const figures = `it would cost ${Math.round(cost)} of at most ${most}`;
    throw refused(`the query asks for too much at once (${figures}): ask for smaller pages`, 'QUERY_TOO_COMPLEX');
  }
}

class Scale {
  readonly #schema: GraphQLSchema;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** A fragment weighs the same wherever it is spread; without this, nested spreads would be weighed exponentially. */
  readonly #weights = new Map<string, Weight>();

  constructor(schema: GraphQLSchema, document: DocumentNode, variables: Readonly<Record<string, unknown>>) {
    this.#schema = schema;
    this.#variables = variables;
    const fragments = document.definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
    this.#fragments = new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
  }

  weigh(operation: OperationDefinitionNode): Weight {
    return this.#selection(operation.selectionSet, this.#schema.getRootType(operation.operation)?.name ?? '');
  }

  #selection(set: SelectionSetNode, typeName: string): Weight {
    let cost = 0;
    let depth = 0;
    for (const selection of set.selections) {
      const weight =
        selection.kind === Kind.FIELD
          ? this.#field(selection, typeName)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? this.#selection(selection.selectionSet, selection.typeCondition?.name.value ?? typeName)
            : this.#fragment(selection.name.value);
      cost += weight.cost;
      depth = Math.max(depth, weight.depth);
    }
    return { cost, depth };
  }

  #fragment(name: string): Weight {
    const known = this.#weights.get(name);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    const weight =
      fragment === undefined
        ? { cost: 0, depth: 0 }
        : this.#selection(fragment.selectionSet, fragment.typeCondition.name.value);
    this.#weights.set(name, weight);
    return weight;
  }

  #field(node: FieldNode, typeName: string): Weight {
    // Introspection has its own rule for depth, and costs what the schema is, not what the estate is.
    if (node.name.value.startsWith('__') || node.selectionSet === undefined) return { cost: LEAF, depth: 1 };
    const type = this.#schema.getType(typeName);
    const field = isObjectType(type) ? type.getFields()[node.name.value] : undefined;
    if (field === undefined || !isCompositeType(getNamedType(field.type))) return { cost: LEAF, depth: 1 };
    const inner = this.#selection(node.selectionSet, getNamedType(field.type).name);
    return { cost: this.#times(node, field, typeName) * (1 + inner.cost), depth: 1 + inner.depth };
  }

  #times(node: FieldNode, field: GraphQLField<unknown, unknown>, typeName: string): number {
    if (field.args.some((arg) => arg.name === 'first')) {
      const sizes = ['first', 'last'].map((name) => this.#number(node, name)).filter((size) => size !== undefined);
      return Math.max(1, sizes.length === 0 ? DEFAULT_FIRST : Math.max(...sizes));
    }
    // The page's size was counted where the connection was asked for.
    return isList(field.type) && !typeName.endsWith('Connection') ? USUAL_LIST : 1;
  }

  #number(node: FieldNode, name: string): number | undefined {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    return value === undefined ? undefined : numberOf(value, this.#variables);
  }
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(getNullableType(type));
}

function numberOf(value: ValueNode, variables: Readonly<Record<string, unknown>>): number | undefined {
  if (value.kind === Kind.INT) return Number(value.value);
  const given = value.kind === Kind.VARIABLE ? variables[value.name.value] : undefined;
  return typeof given === 'number' ? given : undefined;
}
