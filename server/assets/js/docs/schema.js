// Reads schemas of the OpenAPI document: references, the name of a type, and an example value.

/** Follows `$ref`. @param {any} api @param {any} value */
export function resolve(api, value) {
  let found = value;
  for (let depth = 0; found?.$ref && depth < 8; depth += 1) {
    found = found.$ref.slice(2).split('/').reduce((at, key) => at?.[key], api);
  }
  return found ?? {};
}

/** The alternatives of a schema without `null`. */
function alternatives(schema) {
  const listed = schema.oneOf ?? schema.anyOf;
  return listed?.filter((one) => one.type !== 'null');
}

/** `array of FileInfo`, `string (date-time)`. @returns {string} */
export function typeName(api, schema = {}) {
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  const other = alternatives(schema);
  if (other) return other.map((one) => typeName(api, one)).join(' or ');
  if (schema.type === 'array' || schema.type?.includes?.('array')) return `array of ${typeName(api, schema.items)}`;
  const types = [schema.type ?? 'any'].flat().filter((type) => type !== 'null').join(' or ');
  return schema.format ? `${types} (${schema.format})` : types;
}

/** An example of the schema's own, or one made from its members. `depth` bounds recursive schemas. */
export function example(api, given, depth = 0) {
  const schema = resolve(api, given);
  if (schema.example !== undefined) return schema.example;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [first] = alternatives(schema) ?? [];
  if (first) return example(api, first, depth + 1);
  const types = [schema.type].flat();
  if (types.includes('array')) return depth > 5 ? [] : [example(api, schema.items, depth + 1)];
  if (types.includes('object') || schema.properties || schema.allOf) return exampleObject(api, schema, depth);
  if (types.includes('integer') || types.includes('number')) return schema.minimum ?? 0;
  if (types.includes('boolean')) return false;
  return schema.format === 'date-time' ? '2026-11-30T20:00:00Z' : 'text';
}

function exampleObject(api, schema, depth) {
  const made = {};
  if (depth > 5) return made;
  for (const part of schema.allOf ?? []) Object.assign(made, example(api, part, depth + 1));
  for (const [name, member] of Object.entries(schema.properties ?? {})) made[name] = example(api, member, depth + 1);
  return made;
}
