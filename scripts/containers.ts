/**
 * The containers of one machine: a step that is too long for its function (workflows/steps.ts) runs as a process of its own, by the command
 * that ECS would give to the gateway's image. Processes end with the service.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hostFunctions } from '../local/lambda/runtime.ts';
import { ENVIRONMENT } from '../service/environment.ts';
import { LONG_STEPS } from '../workflows/topology.ts';

export interface ContainerHost {
  /** Tells the embedded AWS where the containers are. Again after it was restarted. */
  register(endpoint: string, controlToken: string): Promise<void>;
  close(): Promise<void>;
}

/** What the embedded ECS hands to a container (local/task-ports.ts). */
interface ContainerRun {
  readonly command: readonly string[];
}

/** What a step's container runs, before the step's name and its `name=value` words (workflows/steps.ts). */
const COMMAND = ['node', 'functions/tasks/run-step.ts'];
const WORD = /^[A-Za-z]\w*=[\w.:-]*$/;

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Enough of what a process said last to tell why it ended. */
const LAST_WORDS = 2_000;

/** @param variablesOf what the environment of a step's container has besides this process's */
export async function hostContainers(
  variablesOf: (step: string) => Readonly<Record<string, string>> = () => ({}),
): Promise<ContainerHost> {
  const running = new Set<ChildProcess>();
  const runs = LONG_STEPS.map((step) => {
    const variables = variablesOf(step);
    const run = ({ command }: ContainerRun): Promise<void> =>
      runContainer(argumentsOf(step, command), variables, running);
    return [step, run] as const;
  });
  const host = await hostFunctions({ functions: Object.fromEntries(runs) });
  return {
    register: async (endpoint, controlToken) => {
      await Promise.all(
        LONG_STEPS.map(async (step) => {
          const response = await fetch(`${endpoint}/_glimpse/containers/${step}`, {
            method: 'PUT',
            headers: { 'content-type': 'application/json', 'x-glimpse-control': controlToken },
            body: JSON.stringify({ url: host.urlOf(step) }),
          });
          if (!response.ok) throw new Error(`the container ${step} cannot be registered: ${response.status}`);
          await response.arrayBuffer();
        }),
      );
    },
    close: async () => {
      for (const child of running) child.kill('SIGKILL');
      await host.close();
    },
  };
}

/**
 * A state machine says what a container runs, and whoever reaches the port can make one: on this machine it is the step and nothing
 * else, in the environment that we give it.
 * @throws Error for any other command
 */
function argumentsOf(step: string, command: readonly string[]): readonly string[] {
  const known = [...COMMAND, step];
  const words = command.slice(known.length);
  if (known.every((word, at) => command[at] === word) && words.every((word) => WORD.test(word)))
    return command.slice(1);
  throw new Error(`the container ${step} runs its step alone`);
}

/** @throws Error with the exit code and the last words of a process that did not end well */
function runContainer(
  args: readonly string[],
  variables: Readonly<Record<string, string>>,
  running: Set<ChildProcess>,
): Promise<void> {
  // In a container a step has all the time it needs.
  const { [ENVIRONMENT.functionSeconds]: _limit, ...inherited } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd: ROOT,
      env: { ...inherited, ...variables },
      // The channel tells it when this process is gone.
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    running.add(child);
    let words = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(-LAST_WORDS);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      running.delete(child);
      if (code === 0) resolve();
      else reject(new Error(`exit ${code ?? signal}: ${words.trim()}`));
    });
  });
}
