import { type Context, holdAll } from './conditions.ts';
import { fits, fitsArn } from './match.ts';
import type { Statement } from './policy.ts';

/** One thing that a call does: `s3:GetObject` on an ARN. `*` is the resource of actions that have none. */
export interface Access {
  readonly action: string;
  readonly resource: string;
  readonly context?: Context;
}

/** What identity policies come to. Nothing that allows it is an implicit denial; one Deny outweighs every Allow. */
export type Decision = 'allowed' | 'explicit deny' | 'implicit deny';

/** Decides over one access. Source: IAM User Guide, "Policy evaluation logic", identity-based policies within one account. */
export function evaluate(statements: readonly Statement[], access: Access): Decision {
  const speaking = statements.filter((statement) => speaksOf(statement, access));
  if (speaking.some(({ effect }) => effect === 'Deny')) return 'explicit deny';
  return speaking.length > 0 ? 'allowed' : 'implicit deny';
}

/** Actions are compared without regard to case, resources with. */
function speaksOf(statement: Statement, { action, resource, context = {} }: Access): boolean {
  const { actions, notActions, resources, notResources, conditions } = statement;
  const names = (patterns: readonly string[]): boolean => patterns.some((pattern) => fits(pattern, action, 'i'));
  const covers = (patterns: readonly string[]): boolean => patterns.some((pattern) => fitsArn(pattern, resource));
  return (
    (actions === undefined ? !names(notActions ?? []) : names(actions)) &&
    (resources === undefined ? !covers(notResources ?? []) : covers(resources)) &&
    holdAll(conditions, context)
  );
}
