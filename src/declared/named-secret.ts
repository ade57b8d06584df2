import { Secret } from '../domain/settings.js';
import type { Fields } from './fields.js';
import { neverWritten } from './instead.js';
import type { SourcesNeeds } from './proxmox-api-entry.js';

/**
 * The secret that `<key>Env` (an environment variable) or `<key>File` (a path) names. undefined, reported, where it is
 * missing, written in the open, or cannot be read.
 */
export function namedSecret(fields: Fields, key: string, needs: SourcesNeeds): Secret | undefined {
  const [inEnv, inFile] = [`${key}Env`, `${key}File`];
  if (fields.raw(key) !== undefined) return refused(fields, key, neverWritten(inEnv, inFile));
  const hasFile = fields.raw(inFile) !== undefined;
  const hasEnv = fields.raw(inEnv) !== undefined;
  if (hasFile && hasEnv) return refused(fields, inFile, `and ${inEnv} are both written: keep one of them`);
  if (hasFile) return fromFile(fields, inFile, needs);
  return hasEnv ? fromEnvironment(fields, inEnv, needs) : refused(fields, inEnv, `or ${inFile} is missing`);
}

/** The keys under which a secret may be named, and the one that is refused by its own message. */
export function secretKeys(key: string): readonly string[] {
  return [key, `${key}Env`, `${key}File`];
}

function refused(fields: Fields, key: string, message: string): undefined {
  fields.report(key, message);
  return undefined;
}

function fromEnvironment(fields: Fields, key: string, needs: SourcesNeeds): Secret | undefined {
  const name = fields.text(key);
  if (name === undefined) return undefined;
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    return refused(fields, key, 'must be the name of an environment variable, not the secret itself');
  const why = `names ${name}, which is not set (nor does ${name}_FILE name a readable file)`;
  return needs.secret(name) ?? refused(fields, key, why);
}

function fromFile(fields: Fields, key: string, needs: SourcesNeeds): Secret | undefined {
  const path = fields.text(key);
  if (path === undefined) return undefined;
  try {
    const text = needs.file(path).trim();
    return text === '' ? refused(fields, key, `names ${path}, which is empty`) : new Secret(text);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    return refused(fields, key, `names ${path}, which cannot be read (${code})`);
  }
}
