/** What one run of the program leaves behind: the file between the child process and the tests. */
export interface Recorded {
  readonly urn: string;
  /** As `aws:s3/bucket:Bucket`. */
  readonly type: string;
  readonly name: string;
  readonly parent: string;
  /** Region of the provider that the resource was registered with; of components the default one. */
  readonly region: string;
  readonly dependencies: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly state: Readonly<Record<string, unknown>>;
  readonly id: string;
  /** Paths of inputs that are secret. */
  readonly secrets: readonly string[];
}

/** A function's package as SST asks for it, and what its source exports. */
export interface Build {
  readonly functionId: string;
  readonly handler: string;
  readonly source: string;
  readonly runtime: string;
  readonly copyFiles: readonly { readonly from: string; readonly to: string }[];
  /** Its bundle holds the hashing code, which starts threads from a file of their own. */
  readonly hashes: boolean;
  readonly errors: readonly string[];
}

export interface Graph {
  readonly app: { readonly name: string; readonly stage: string; readonly providers: Record<string, unknown> };
  readonly providerConfig: Readonly<Record<string, string>>;
  readonly resources: readonly Recorded[];
  readonly builds: readonly Build[];
  readonly outputs: Readonly<Record<string, unknown>>;
  /** Look-ups the harness knows no answer for, and methods SST called that do not exist. */
  readonly warnings: readonly string[];
  readonly errors: readonly string[];
}
