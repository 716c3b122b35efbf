/** The subset of the Amazon States Language (JSONPath) that our definitions use, as types. States Language specification, 2016-2024. */
export interface Retrier {
  readonly ErrorEquals: readonly string[];
  readonly IntervalSeconds?: number;
  readonly MaxAttempts?: number;
  readonly BackoffRate?: number;
  readonly MaxDelaySeconds?: number;
  readonly JitterStrategy?: 'FULL' | 'NONE';
}

export interface Catcher {
  readonly ErrorEquals: readonly string[];
  readonly ResultPath?: string | null;
  readonly Next: string;
}

interface Common {
  readonly Comment?: string;
  readonly InputPath?: string | null;
  readonly OutputPath?: string | null;
  readonly ResultPath?: string | null;
  readonly Next?: string;
  readonly End?: true;
}

export interface TaskState extends Common {
  readonly Type: 'Task';
  readonly Resource: string;
  readonly Parameters?: unknown;
  readonly ResultSelector?: unknown;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

export interface MapState extends Common {
  readonly Type: 'Map';
  readonly ItemsPath?: string;
  readonly ItemSelector?: unknown;
  readonly ResultSelector?: unknown;
  readonly MaxConcurrency?: number;
  readonly ItemProcessor: {
    readonly ProcessorConfig?:
      | { readonly Mode: 'INLINE' }
      | { readonly Mode: 'DISTRIBUTED'; readonly ExecutionType: 'STANDARD' | 'EXPRESS' };
    readonly StartAt: string;
    readonly States: States;
  };
  readonly Label?: string;
  readonly ToleratedFailurePercentage?: number;
  readonly Retry?: readonly Retrier[];
  readonly Catch?: readonly Catcher[];
}

export interface ParallelState extends Common {
  readonly Type: 'Parallel';
  readonly Branches: readonly { readonly StartAt: string; readonly States: States }[];
  readonly Catch?: readonly Catcher[];
}

export interface ChoiceState {
  readonly Type: 'Choice';
  readonly Comment?: string;
  readonly Choices: readonly Readonly<Record<string, unknown>>[];
  readonly Default?: string;
}

export interface PassState extends Common {
  readonly Type: 'Pass';
  readonly Result?: unknown;
  readonly Parameters?: unknown;
}

export interface EndState {
  readonly Type: 'Succeed' | 'Fail';
  readonly Comment?: string;
  readonly Error?: string;
  readonly Cause?: string;
  readonly ErrorPath?: string;
  readonly CausePath?: string;
}

export type State = TaskState | MapState | ParallelState | ChoiceState | PassState | EndState;
export type States = Readonly<Record<string, State>>;

export interface StateMachine {
  readonly Comment?: string;
  readonly StartAt: string;
  readonly States: States;
  readonly TimeoutSeconds?: number;
}
