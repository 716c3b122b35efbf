/** A plugin of Stryker: sentences for people are not mutated. A code, a name or a key has no blank; a sentence has. */
import type { Ignorer } from '@stryker-mutator/api/ignore';
import { declareValuePlugin, PluginKind } from '@stryker-mutator/api/plugin';

interface Literal {
  readonly type: string;
  readonly value?: unknown;
  readonly quasis?: readonly { readonly value: { readonly raw: string } }[];
}

/** Why this node is left alone; undefined when it is to be mutated. */
export function proseReason(node: Literal): string | undefined {
  const text =
    node.type === 'TemplateLiteral'
      ? (node.quasis ?? []).map(({ value }) => value.raw).join('')
      : node.type === 'StringLiteral'
        ? String(node.value)
        : '';
  return text.includes(' ') ? 'a sentence for people' : undefined;
}

const ignorer: Ignorer = {
  shouldIgnore: (path) => proseReason((path as unknown as { readonly node: Literal }).node),
};

export const strykerPlugins = [declareValuePlugin(PluginKind.Ignore, 'prose', ignorer)];
