/** As much of a JSON Schema as the descriptions of services use for their answers. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly allOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly nullable?: boolean;
  readonly maxLength?: number;
  readonly pattern?: string;
}

export type Definitions = Readonly<Record<string, JsonSchema>>;

const FORMATS: Readonly<Record<string, RegExp>> = {
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
};

/** Where a value does not fit its schema: a wrong type, a required field that is missing, a word that is none of the enum. */
export function schemaMisfits(value: unknown, schema: JsonSchema, definitions: Definitions = {}, at = ''): string[] {
  if (schema.$ref !== undefined) {
    const named = definitions[schema.$ref.split('/').at(-1) ?? ''];
    return named === undefined ? [`${at}: no ${schema.$ref}`] : schemaMisfits(value, named, definitions, at);
  }
  if (value === null && schema.nullable === true) return [];
  const own = [...typeMisfits(value, schema, at), ...fieldMisfits(value, schema, definitions, at)];
  const all = (schema.allOf ?? []).flatMap((part) => schemaMisfits(value, part, definitions, at));
  return [...own, ...all, ...choiceMisfits(value, schema.oneOf ?? schema.anyOf ?? [], definitions, at)];
}

function choiceMisfits(value: unknown, choices: readonly JsonSchema[], definitions: Definitions, at: string): string[] {
  const tried = choices.map((choice) => schemaMisfits(value, choice, definitions, at));
  return tried.length === 0 || tried.some((wrong) => wrong.length === 0) ? [] : (tried.at(-1) ?? []);
}

function typeMisfits(value: unknown, { type, format, pattern, ...schema }: JsonSchema, at: string): string[] {
  const said = JSON.stringify(value);
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${at}: ${said} is none of the enum`];
  const types = type === undefined ? [] : typeof type === 'string' ? [type] : type;
  if (types.length > 0 && !types.some((one) => isOf(value, one))) return [`${at}: ${said} is no ${types.join(' or ')}`];
  if (typeof value !== 'string') return [];
  const known = format === undefined ? undefined : FORMATS[format];
  if (known?.test(value) === false) return [`${at}: ${said} is no ${format}`];
  return pattern !== undefined && !new RegExp(pattern).test(value) ? [`${at}: ${said} does not fit ${pattern}`] : [];
}

function isOf(value: unknown, type: string): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function fieldMisfits(value: unknown, schema: JsonSchema, definitions: Definitions, at: string): string[] {
  const { items, properties = {}, required = [] } = schema;
  if (Array.isArray(value))
    return items === undefined
      ? []
      : value.flatMap((item, i) => schemaMisfits(item, items, definitions, `${at}[${i}]`));
  if (typeof value !== 'object' || value === null) return [];
  const there = value as Record<string, unknown>;
  const missing = required.flatMap((key) => (key in there ? [] : [`${at}.${key}: missing`]));
  const wrong = Object.entries(there).flatMap(([key, item]) => {
    const known = properties[key];
    return known === undefined ? [] : schemaMisfits(item, known, definitions, `${at}.${key}`);
  });
  return [...missing, ...wrong];
}
