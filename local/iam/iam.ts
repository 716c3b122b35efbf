/**
 * Identity policies, evaluated for every call that the embedded AWS is asked for. Who calls is told by the access key id, as a role's
 * credentials would on AWS; there are no sessions and no secrets. Left out: resource policies, boundaries, permissions of KMS.
 */
import { readFileSync } from 'node:fs';
import { AwsError } from '../wire/aws-error.ts';
import { type Access, type Decision, evaluate } from './evaluate.ts';
import { parsePolicy, type Statement } from './policy.ts';

/** A role as it is put: the access key id of who acts under it (its own name by default), and its policy documents. */
export interface RoleInput {
  readonly accessKeyId?: string;
  readonly policies: readonly unknown[];
}

/** How policies are enforced. */
export interface IamOptions {
  /** Path of a JSON file with roles by name, read at the start. */
  readonly rolesFile?: string;
  /** Roles by name. */
  readonly roles?: Readonly<Record<string, RoleInput>>;
  /** What a caller whose key belongs to no role may do: everything, or nothing. Default: deny. */
  readonly unknownKeys?: 'allow' | 'deny';
}

/** What a role asked for: one line for each action and resource. */
export interface Asked {
  readonly role: string;
  readonly action: string;
  readonly resource: string;
  readonly decision: Decision;
  readonly count: number;
}

interface Role {
  readonly name: string;
  readonly statements: readonly Statement[];
}

/** The caller's key is not known; each service says it in its own way. */
export class UnknownKey extends AwsError {
  constructor() {
    super('UnrecognizedClientException', 'The security token included in the request is invalid.');
  }
}

/** The roles, and what they were asked for. */
export class Iam {
  readonly #roles = new Map<string, Role>();
  readonly #asked = new Map<string, Asked>();
  readonly #unknownKeys: 'allow' | 'deny';

  /** Throws TypeError when a policy cannot be read. */
  constructor(options: IamOptions = {}) {
    this.#unknownKeys = options.unknownKeys ?? 'deny';
    const filed =
      options.rolesFile === undefined
        ? {}
        : (JSON.parse(readFileSync(options.rolesFile, 'utf8')) as Record<string, RoleInput>);
    for (const [name, role] of Object.entries({ ...filed, ...options.roles })) this.put(name, role);
  }

  /** Makes or replaces a role. Throws TypeError when a policy cannot be read. */
  put(name: string, { accessKeyId = name, policies }: RoleInput): void {
    for (const [key, role] of this.#roles) if (role.name === name) this.#roles.delete(key);
    this.#roles.set(accessKeyId, { name, statements: policies.flatMap(parsePolicy) });
  }

  /** True when the policies of a key's role allow an access; it is not counted. */
  allows(accessKeyId: string | undefined, access: Access): boolean {
    const role = this.#roles.get(accessKeyId ?? '');
    return role === undefined ? this.#unknownKeys === 'allow' : evaluate(role.statements, access) === 'allowed';
  }

  /**
   * Throws AccessDeniedException for the first access that the policies of the key's role do not allow, in AWS's words; UnknownKey when
   * the key is nobody's and such callers are refused.
   */
  authorize(accessKeyId: string | undefined, accesses: readonly Access[]): void {
    const role = this.#roles.get(accessKeyId ?? '');
    if (role === undefined) {
      if (this.#unknownKeys === 'allow') return;
      throw new UnknownKey();
    }
    for (const access of accesses) {
      const decision = evaluate(role.statements, access);
      this.#note(role.name, access, decision);
      if (decision !== 'allowed') throw denied(role.name, access, decision);
    }
  }

  /** What was asked for since the start, refusals first. */
  report(): Asked[] {
    return [...this.#asked.values()].sort(
      (a, b) => Number(a.decision === 'allowed') - Number(b.decision === 'allowed'),
    );
  }

  #note(role: string, { action, resource }: Access, decision: Decision): void {
    const id = JSON.stringify([role, action, resource, decision]);
    this.#asked.set(id, { role, action, resource, decision, count: (this.#asked.get(id)?.count ?? 0) + 1 });
  }
}

function denied(role: string, { action, resource }: Access, decision: Decision): AwsError {
  const who = `arn:aws:sts::000000000000:assumed-role/${role}/${role}`;
  const why =
    decision === 'explicit deny'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  const message = `User: ${who} is not authorized to perform: ${action} on resource: ${resource} ${why}`;
  return new AwsError('AccessDeniedException', message);
}
