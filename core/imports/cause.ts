import { shownText } from '../shown-text.ts';

/** What Catch hands on: the error's name, and as the cause a JSON text: of a function with `errorMessage`, of a container the stopped task. */
export interface WorkflowError {
  readonly Error?: string;
  readonly Cause?: string;
}

/** What the platform says of a function that came to no end of its own tells a user nothing: ids of requests, signals. */
const IN_WORDS: Readonly<Record<string, string>> = {
  'States.Timeout': 'The import took longer than allowed',
  'Sandbox.Timedout': 'The import took longer than allowed',
  'Lambda.ClientExecutionTimeoutException': 'The import took longer than allowed',
  'Runtime.ExitError': 'A step of the import ended before it was done, for want of memory or because its host was lost',
  'States.DataLimitExceeded': 'A step of the import found out more than the workflow can carry',
};

/** The cause in words, for the task's message; never a stack trace. It may hold what a web server or an image says. */
export function causeOf(error: WorkflowError | undefined): string {
  if (error === undefined) return 'The import failed';
  const words = IN_WORDS[error.Error ?? ''] ?? messageIn(error.Cause) ?? error.Cause ?? error.Error;
  return words === undefined ? 'The import failed' : shownText(words);
}

interface Cause {
  readonly errorMessage?: unknown;
  readonly Cause?: unknown;
  readonly StoppedReason?: unknown;
  readonly Containers?: unknown;
}

function messageIn(text: string | undefined): string | undefined {
  if (text === undefined || !text.startsWith('{')) return undefined;
  try {
    const cause = JSON.parse(text) as Cause;
    if (typeof cause.errorMessage === 'string' && cause.errorMessage !== '') return cause.errorMessage;
    if (Array.isArray(cause.Containers)) return endOfContainer(cause.Containers, cause.StoppedReason);
    return typeof cause.Cause === 'string' ? (messageIn(cause.Cause) ?? cause.Cause) : undefined;
  } catch {
    return undefined; // cut off by the state size limit: show it as it is
  }
}

/** A container that died before it could record why (Amazon ECS API reference, Task and Container). */
function endOfContainer(containers: readonly unknown[], stoppedReason: unknown): string {
  const [first] = containers as readonly { readonly ExitCode?: number; readonly Reason?: string }[];
  const code = first?.ExitCode === undefined ? '' : ` with exit code ${first.ExitCode}`;
  const reason = first?.Reason ?? (typeof stoppedReason === 'string' ? stoppedReason : 'no reason given');
  return `The container of the step ended${code}: ${reason}`;
}
