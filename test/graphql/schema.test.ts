import { readFileSync } from 'node:fs';
import {
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { expect, it } from 'vitest';
import { gatewaySchema, printedSchema } from '../../src/graphql/schema.js';

const schema = gatewaySchema();

it('schema.graphql is the printed schema (write it anew with `npm run schema`)', () => {
  expect(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8')).toBe(printedSchema(schema));
});

/** Everything of a type that has no description, by its path. */
function undescribed(type: GraphQLNamedType): string[] {
  const missing: string[] = [];
  const look = (path: string, thing: { description?: string | null | undefined }) => {
    if (!thing.description) missing.push(path);
  };
  const isRoot = ['Query', 'Mutation', 'Subscription'].includes(type.name);
  if (!isRoot) look(type.name, type);
  if (isEnumType(type)) for (const value of type.getValues()) look(`${type.name}.${value.name}`, value);
  if (isInputObjectType(type)) for (const f of Object.values(type.getFields())) look(`${type.name}.${f.name}`, f);
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      look(`${type.name}.${field.name}`, field);
      for (const arg of field.args) look(`${type.name}.${field.name}(${arg.name})`, arg);
    }
  }
  return missing;
}

it('every type, field, argument and enum value has a description', () => {
  const ours = Object.values(schema.getTypeMap()).filter((t) => !isIntrospectionType(t) && !isSpecifiedScalarType(t));
  expect(ours.flatMap(undescribed)).toEqual([]);
});

it('no field of an object type is wrapped by a decorator: each is a property or an edge of the table', () => {
  const wrapped = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .filter((type) => !isIntrospectionType(type) && !['Query', 'Mutation', 'Subscription'].includes(type.name))
    .flatMap((type) =>
      Object.values(type.getFields())
        .filter((field) => field.resolve?.toString().includes('resolverData'))
        .map((field) => `${type.name}.${field.name}`),
    );
  expect(wrapped).toEqual([]);
});
