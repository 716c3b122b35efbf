/** What Catch hands on: the error's name, and for functions a JSON text with `errorMessage` as the cause. */
export interface WorkflowError {
  readonly Error?: string;
  readonly Cause?: string;
}

/** The cause in words, for the task's message; never a stack trace. */
export function causeOf(error: WorkflowError | undefined): string {
  if (error === undefined) return 'The import failed';
  const message = messageIn(error.Cause) ?? error.Cause;
  if (error.Error === 'States.Timeout') return 'The import took longer than allowed';
  return message ?? error.Error ?? 'The import failed';
}

function messageIn(cause: string | undefined): string | undefined {
  if (cause === undefined || !cause.startsWith('{')) return undefined;
  try {
    const parsed = JSON.parse(cause) as { errorMessage?: unknown; Error?: unknown; Cause?: unknown };
    if (typeof parsed.errorMessage === 'string' && parsed.errorMessage !== '') return parsed.errorMessage;
    return typeof parsed.Cause === 'string' ? (messageIn(parsed.Cause) ?? parsed.Cause) : undefined;
  } catch {
    return undefined; // cut off by the state size limit: show it as it is
  }
}
