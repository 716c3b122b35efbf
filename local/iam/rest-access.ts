import type { Access } from './evaluate.ts';

const HERE = 'us-east-1:000000000000';

const SCHEDULE_ACTIONS: Readonly<Record<string, string>> = {
  GET: 'GetSchedule',
  POST: 'CreateSchedule',
  PUT: 'UpdateSchedule',
  DELETE: 'DeleteSchedule',
};

/** What a call of Lambda or EventBridge Scheduler does, by method and path. Source: Service Authorization Reference. */
export function restAccess(method: string, path: string): Access {
  const [, name, action] = /^\/2015-03-31\/functions(?:\/([^/]+))?(?:\/([^/]+))?/.exec(path) ?? [];
  if (path.startsWith('/2015-03-31/')) {
    const called = action === 'invocations' ? 'InvokeFunction' : 'GetFunction';
    return name === undefined
      ? { action: 'lambda:ListFunctions', resource: '*' }
      : { action: `lambda:${called}`, resource: functionArn(decodeURIComponent(name)) };
  }
  const [, schedule] = /^\/schedules\/([^/]+)/.exec(path) ?? [];
  return schedule === undefined
    ? { action: 'scheduler:ListSchedules', resource: '*' }
    : {
        action: `scheduler:${SCHEDULE_ACTIONS[method] ?? method}`,
        resource: `arn:aws:scheduler:${HERE}:schedule/default/${decodeURIComponent(schedule)}`,
      };
}

const functionArn = (name: string): string =>
  name.startsWith('arn:') ? name : `arn:aws:lambda:${HERE}:function:${name}`;
