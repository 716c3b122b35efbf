/** A rule of the oslo.policy language as a tree (contract: policy.md section 1). */
export type Expression =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'not'; readonly of: Expression }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Expression[] }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'role'; readonly name: Template }
  | { readonly kind: 'remote'; readonly url: Template }
  /** The attribute of the credentials (a path), or a literal, equals the right side. */
  | { readonly kind: 'equals'; readonly left: Left; readonly right: Template };

export type Left = { readonly literal: string } | { readonly credential: readonly string[] };

/** Text with `%(key)s` places: literals and keys in turn, literals first. */
export interface Template {
  readonly literals: readonly string[];
  readonly keys: readonly string[];
}

/** A rule that cannot be read; `position` counts characters of the rule from 0. */
export class PolicySyntaxError extends Error {
  override readonly name = 'PolicySyntaxError';
  readonly position: number;
  constructor(message: string, position: number) {
    super(message);
    this.position = position;
  }
}
