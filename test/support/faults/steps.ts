/** What faults can strike, as the workflows and the topology declare it: a new step or event is here by itself. */
import type { StateMachine, States } from '../../../workflows/asl.ts';
import { FUNCTIONS } from '../../../workflows/topology.ts';

/** Names of the states that call something, at any depth. */
export function taskStates({ States: states }: Pick<StateMachine, 'States'>): string[] {
  return Object.entries(states as States).flatMap(([name, state]) => {
    if (state.Type === 'Task') return [name];
    if (state.Type === 'Map') return taskStates(state.ItemProcessor);
    return state.Type === 'Parallel' ? state.Branches.flatMap(taskStates) : [];
  });
}

const isStep = (name: string): boolean => name.startsWith('import-') && name !== 'import-ended';

/** Functions that neither a client nor a workflow calls. */
export const EVENT_FUNCTIONS: readonly string[] = Object.keys(FUNCTIONS).filter(
  (name) => !name.startsWith('api-') && !isStep(name),
);
