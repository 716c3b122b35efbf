/** What scripts/prove-stage.ts asks a stage: each proof is one line of its verdict. */

/** The stage under proof, as its proofs reach it. */
export interface Stage {
  readonly url: string;
  /** `apigw-requestid` in its answers: functions on AWS answer, not this machine. */
  readonly isOnAws: boolean;
  /** `x-amz-cf-id` in its answers: a CloudFront distribution is in front. */
  readonly hasCloudFront: boolean;
  /** A token of another project, if one was given. */
  readonly otherToken: string | undefined;
  readonly slowMinutes: number;
  readonly importGib: number;
  /** MiB of data in the large image; the rest of it is holes. */
  readonly dataMib: number;
  /** A request with the owner's token, or with `token` (null: none). */
  call(method: string, path: string, call?: Call): Promise<Response>;
  /** Makes a private image that is removed when the proofs are over. @throws Error when it cannot be made */
  makeImage(attributes?: Readonly<Record<string, unknown>>): Promise<string>;
}

export interface Call {
  readonly token?: string | null;
  readonly json?: unknown;
  readonly body?: NonNullable<RequestInit['body']>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Proof {
  /** Its name for `--only`. */
  readonly name: string;
  /** What holds when it passes. */
  readonly says: string;
  /** Makes and removes images; left out by `--read-only`. */
  readonly writes: boolean;
  /** Why it cannot be tried here, in words; undefined when it can. */
  readonly skip?: (stage: Stage) => string | undefined;
  /** @returns a detail worth reading. @throws Error that says what was found instead */
  run(stage: Stage): Promise<string>;
}

/** @throws Error that names what was looked at, what should have been, and what was */
export function expectSame(what: string, found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(wanted))
    throw new Error(`${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`);
}

export interface WireImage {
  readonly id: string;
  readonly status: string;
  readonly size: number | null;
  readonly virtual_size: number | null;
  readonly checksum: string | null;
  readonly os_hash_value: string | null;
  readonly disk_format: string;
  readonly tags: readonly string[];
}

export async function show(stage: Stage, id: string): Promise<WireImage> {
  const answer = await stage.call('GET', `/v2/images/${id}`);
  expectSame(`GET of image ${id}`, answer.status, 200);
  return (await answer.json()) as WireImage;
}

/** Waits until an import has ended. @throws Error with the task's own words when it failed, or after `minutes` */
export async function imported(stage: Stage, id: string, minutes: number): Promise<WireImage> {
  const deadline = Date.now() + minutes * 60_000;
  while (Date.now() < deadline) {
    const { tasks = [] } = (await (await stage.call('GET', `/v2/images/${id}/tasks`)).json()) as {
      tasks?: readonly { readonly status: string; readonly message: string }[];
    };
    const [task] = tasks;
    if (task?.status === 'failure') throw new Error(`the import failed: ${task.message}`);
    const image = await show(stage, id);
    if (task?.status === 'success' && image.status === 'active') return image;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  throw new Error(`the import did not end within ${minutes} minutes`);
}
