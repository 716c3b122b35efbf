import { randomUUID } from 'node:crypto';
import { isObject, type Json, type JsonObject, stringAt } from '../wire/json.ts';
import type { TaskPorts } from './run.ts';
import { StateError } from './state-error.ts';

/** A service integration: how a task state's parameters become a call and its answer a result. */
export interface Integration {
  readonly resourceType: string;
  readonly resource: string;
  readonly waitsForToken: boolean;
  call(parameters: Json, ports: TaskPorts): Promise<Json>;
}

type Call = Integration['call'];

/** `lambda:invoke`: FunctionName and Payload in; out what the function returned, within what AWS's own client says of the answer. */
const invoke: Call = async (parameters, ports) => {
  const name = isObject(parameters) ? stringAt(parameters, 'FunctionName') : undefined;
  if (!isObject(parameters) || name === undefined) {
    throw new StateError('States.Runtime', 'lambda:invoke needs Parameters with FunctionName');
  }
  const payload = await ports.invokeFunction(name, parameters['Payload'] ?? {});
  const metadata = answerMetadata(Buffer.byteLength(JSON.stringify(payload)));
  return { ExecutedVersion: '$LATEST', Payload: payload, ...metadata, StatusCode: 200 };
};

function answerMetadata(bytes: number): JsonObject {
  const requestId = randomUUID();
  const headers = {
    'X-Amz-Executed-Version': '$LATEST',
    'x-amzn-Remapped-Content-Length': '0',
    Connection: 'keep-alive',
    'x-amzn-RequestId': requestId,
    'Content-Length': String(bytes),
    Date: new Date().toUTCString(),
    'X-Amzn-Trace-Id': `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${requestId.replaceAll('-', '').slice(0, 24)}`,
    'Content-Type': 'application/json',
  };
  return {
    SdkHttpMetadata: {
      AllHttpHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
      HttpHeaders: headers,
      HttpStatusCode: 200,
    },
    SdkResponseMetadata: { RequestId: requestId },
  };
}

const runTask: Call = (parameters, ports) => {
  const definition = isObject(parameters) ? stringAt(parameters, 'TaskDefinition') : undefined;
  if (!isObject(parameters) || definition === undefined) {
    throw new StateError('States.Runtime', 'ecs:runTask needs Parameters with TaskDefinition');
  }
  return ports.runContainer(definition, isObject(parameters['Overrides']) ? parameters['Overrides'] : {});
};

const putEvents: Call = (parameters, ports) =>
  ports.putEvents(isObject(parameters) ? (parameters['Entries'] ?? []) : []);

/** The service integrations that exist here, by service and action. */
const CALLS: Readonly<Record<string, { call: Call; patterns: readonly string[] }>> = {
  'lambda:invoke': { call: invoke, patterns: ['', '.waitForTaskToken'] },
  'ecs:runTask': { call: runTask, patterns: ['.sync', '.waitForTaskToken'] },
  'events:putEvents': { call: putEvents, patterns: ['', '.waitForTaskToken'] },
};

const INTEGRATION = /^arn:aws[\w-]*:states:[^:]*:[^:]*:(\w[\w-]*:\w+)(\.\w+)?$/;
const FUNCTION = /^arn:aws[\w-]*:lambda:[^:]*:[^:]*:function:([\w-]+)(?::[\w$-]+)?$/;

/** What a task state's Resource stands for: a function by name, an integration, or undefined when it is unknown here. */
export function resourceOf(resource: string): { functionName: string } | { integration: Integration } | undefined {
  const functionName = FUNCTION.exec(resource)?.[1];
  if (functionName !== undefined) return { functionName };
  const [, action = '', pattern = ''] = INTEGRATION.exec(resource) ?? [];
  const known = CALLS[action];
  if (known === undefined || !known.patterns.includes(pattern)) return undefined;
  const [resourceType = '', name = ''] = action.split(':');
  const waitsForToken = pattern === '.waitForTaskToken';
  return { integration: { resourceType, resource: name + pattern, waitsForToken, call: known.call } };
}

/** The plain name in a function name, an ARN or a partial ARN, without version or alias. */
export function plainFunctionName(nameOrArn: string): string {
  const parts = nameOrArn.split(':');
  const at = parts.indexOf('function');
  return (at >= 0 ? parts[at + 1] : parts[0]) ?? nameOrArn;
}

/** Members of a task event that name its resource. */
export const eventResource = ({ resourceType, resource }: Integration): JsonObject => ({ resourceType, resource });
