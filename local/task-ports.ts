import type { EventBridge } from './eventbridge/server.ts';
import { type CallbackAnswer, type Functions, NoSuchFunction } from './lambda/functions.ts';
import { plainFunctionName } from './stepfunctions/resources.ts';
import type { TaskPorts } from './stepfunctions/run.ts';
import { StateError } from './stepfunctions/state-error.ts';
import { isObject, type Json, type JsonObject } from './wire/json.ts';

/**
 * Connects task states with functions, containers and the bus. Until `graceUntilMs` (milliseconds since the epoch) a function
 * that is not registered yet is waited for: an execution that is driven again starts before its functions do.
 */
export function taskPorts(
  functions: Functions,
  containers: Functions,
  events: EventBridge,
  graceUntilMs: number,
): Omit<TaskPorts, 'issueToken'> {
  return {
    invokeFunction: async (nameOrArn, payload) => {
      const call = () => functions.invokeWhenRegistered(plainFunctionName(nameOrArn), payload, graceUntilMs);
      const answer = await reached(call, 'Lambda');
      if ('payload' in answer) return answer.payload;
      throw new StateError(answer.error.errorType, JSON.stringify(answer.error));
    },
    runContainer: async (taskDefinition, overrides) => {
      const family = taskDefinition.split('/').at(-1)?.split(':')[0] ?? taskDefinition;
      const [override] = Array.isArray(overrides['ContainerOverrides']) ? overrides['ContainerOverrides'] : [];
      const event = containerEvent(isObject(override) ? override : {});
      const answer = await reached(() => containers.invokeWhenRegistered(family, event, graceUntilMs), 'ECS');
      return stoppedTask(family, answer);
    },
    putEvents: async (entries) => events.putEvents(entries),
  };
}

/** What a registered container entry receives. */
function containerEvent(override: JsonObject): JsonObject {
  const pairs = Array.isArray(override['Environment']) ? override['Environment'].filter(isObject) : [];
  return {
    name: override['Name'] ?? null,
    command: override['Command'] ?? [],
    environment: Object.fromEntries(pairs.map((pair) => [String(pair['Name']), String(pair['Value'])])),
  };
}

/** The description of a stopped task, as `runTask.sync` returns it; an error of the entry is exit code 1. */
function stoppedTask(family: string, answer: CallbackAnswer): Json {
  const failed = 'error' in answer;
  const reason = failed ? `${answer.error.errorType}: ${answer.error.errorMessage}` : '';
  const task = {
    TaskDefinitionArn: `arn:aws:ecs:us-east-1:000000000000:task-definition/${family}:1`,
    LastStatus: 'STOPPED',
    StopCode: 'EssentialContainerExited',
    StoppedReason: 'Essential container in task exited',
    Containers: [
      { Name: family, ExitCode: failed ? 1 : 0, LastStatus: 'STOPPED', ...(failed ? { Reason: reason } : {}) },
    ],
  };
  if (failed) throw new StateError('States.TaskFailed', JSON.stringify(task));
  return task;
}

async function reached(call: () => Promise<CallbackAnswer>, service: 'Lambda' | 'ECS'): Promise<CallbackAnswer> {
  try {
    return await call();
  } catch (error) {
    throw serviceError(service, error);
  }
}

const ERROR_NAMES = {
  Lambda: { missing: 'Lambda.ResourceNotFoundException', unreachable: 'Lambda.ServiceException' },
  ECS: { missing: 'ECS.InvalidParameterException', unreachable: 'ECS.ServerException' },
} as const;

function serviceError(service: 'Lambda' | 'ECS', cause: unknown): StateError {
  const name = ERROR_NAMES[service][cause instanceof NoSuchFunction ? 'missing' : 'unreachable'];
  return new StateError(name, cause instanceof Error ? cause.message : String(cause), { cause });
}
