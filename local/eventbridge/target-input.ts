import { isObject, type Json, type JsonObject, stringAt } from '../wire/json.ts';

/**
 * What a target receives of an event: Input, InputPath or InputTransformer of the target, else the whole event.
 * (Amazon EventBridge User Guide, "Input transformation".)
 */
export function targetInput(target: JsonObject, event: Json): Json {
  const constant = stringAt(target, 'Input');
  if (constant !== undefined) return JSON.parse(constant) as Json;
  const path = stringAt(target, 'InputPath');
  if (path !== undefined) return lookUp(path, event) ?? null;
  const transformer = target['InputTransformer'];
  return isObject(transformer) ? transform(transformer, event) : event;
}

/** The event's own reference paths: `$`, then names. Indexes in brackets are allowed, filters are not. */
function lookUp(path: string, event: Json): Json | undefined {
  const names = path.match(/[^.[\]'"$]+/g) ?? [];
  return names.reduce<Json | undefined>((value, name) => {
    if (Array.isArray(value)) return value[Number(name)];
    return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  }, event);
}

function transform(transformer: JsonObject, event: Json): Json {
  const paths = isObject(transformer['InputPathsMap']) ? transformer['InputPathsMap'] : {};
  const template = stringAt(transformer, 'InputTemplate') ?? '""';
  const placeholder = (name: string): Json | undefined => {
    if (name === 'aws.events.event' || name === 'aws.events.event.json') return event;
    return Object.hasOwn(paths, name) ? lookUp(String(paths[name]), event) : undefined;
  };
  // A placeholder inside a JSON string is put in as text, outside of one as JSON.
  const filled = template.replace(/"(?:[^"\\]|\\.)*"|<([\w.-]+)>/g, (found: string, bare?: string) => {
    if (bare !== undefined) return JSON.stringify(placeholder(bare) ?? null);
    return found.replace(/<([\w.-]+)>/g, (_all, name: string) => escaped(placeholder(name)));
  });
  try {
    return JSON.parse(filled) as Json;
  } catch {
    return filled; // a template need not be JSON: the target gets a string
  }
}

function escaped(value: Json | undefined): string {
  const text = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  return JSON.stringify(text).slice(1, -1);
}
