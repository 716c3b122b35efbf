/** Whether an emulator is there, and which one. */

export interface Emulator {
  /** As it calls itself; `emulator` for one that says nothing. */
  readonly name: string;
  readonly version?: string;
}

const SOON_MS = 5_000;

/** True when anything speaks HTTP there. */
export async function answers(endpoint: string): Promise<boolean> {
  try {
    const response = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(SOON_MS) });
    await response.arrayBuffer();
    return response.status < 500;
  } catch {
    return false;
  }
}

/** Waits for an answer. @throws Error with one line when none comes within `withinMs` */
export async function untilItAnswers(endpoint: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await answers(endpoint))) {
    if (Date.now() > deadline)
      throw new Error(
        `nothing answers at AWS_ENDPOINT_URL ${endpoint}: start the emulator, or \`npm run localstack\`, which brings one; unset it for the embedded AWS`,
      );
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** By the edition that they tell: LocalStack's image, LocalStack without it, MiniStack. */
const NAMES: Readonly<Record<string, string>> = { community: 'LocalStack', unknown: 'LocalStack', light: 'MiniStack' };

/** Who answers. LocalStack tells its version where nothing else has a path. */
export async function whoAnswers(endpoint: string): Promise<Emulator> {
  try {
    const response = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(SOON_MS) });
    const health = (await response.json()) as { edition?: string; version?: string };
    const { edition = 'emulator', version } = health;
    const name = NAMES[edition] ?? edition;
    return version === undefined ? { name } : { name, version };
  } catch {
    return { name: 'emulator' };
  }
}
