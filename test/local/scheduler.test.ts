import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  SchedulerClient,
  UpdateScheduleCommand,
} from '@aws-sdk/client-scheduler';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FunctionHost, hostFunctions } from '../../local/lambda/runtime.ts';
import { parseSchedule } from '../../local/scheduler/expression.ts';
import { clientOf, type Running, startProcesses, until } from './processes.ts';

let running: Running;
let scheduler: SchedulerClient;
let host: FunctionHost;
const fired: unknown[] = [];

beforeAll(async () => {
  host = await hostFunctions({ functions: { tick: async (event: unknown) => fired.push(event) } });
  running = await startProcesses();
  scheduler = new SchedulerClient(clientOf(running.aws.endpoint));
  await host.register(running.aws.endpoint);
});
afterAll(async () => {
  await running.stop();
  await host.close();
});

const schedule = (Name: string, ScheduleExpression: string, input = '{"run":true}') => ({
  Name,
  ScheduleExpression,
  FlexibleTimeWindow: { Mode: 'OFF' as const },
  Target: { Arn: 'arn:aws:lambda:us-east-1:000000000000:function:tick', RoleArn: 'arn:role', Input: input },
});

describe('expressions', () => {
  const from = Date.UTC(2026, 0, 30, 10, 15, 30); // a Friday
  it.each([
    ['rate(5 minutes)', '2026-01-30T10:20:30.000Z'],
    ['rate(1 hour)', '2026-01-30T11:15:30.000Z'],
    ['cron(0 12 * * ? *)', '2026-01-30T12:00:00.000Z'],
    ['cron(0/10 * * * ? *)', '2026-01-30T10:20:00.000Z'],
    ['cron(30 9 ? * MON-FRI *)', '2026-02-02T09:30:00.000Z'],
    ['cron(0 0 29 2 ? *)', '2028-02-29T00:00:00.000Z'],
    ['cron(0 10 1 JAN,JUL ? *)', '2026-07-01T10:00:00.000Z'],
    ['at(2026-01-31T00:00:00)', '2026-01-31T00:00:00.000Z'],
  ])('%s fires next at %s', (expression, wanted) => {
    expect(new Date(parseSchedule(expression, from)(from) ?? 0).toISOString()).toBe(wanted);
  });

  it('in the past never fire', () => {
    expect(parseSchedule('at(2020-01-01T00:00:00)', from)(from)).toBeUndefined();
  });
});

describe('schedules', () => {
  it('are created, changed, listed and deleted', async () => {
    await scheduler.send(new CreateScheduleCommand(schedule('nightly', 'cron(0 3 * * ? *)')));
    await expect(scheduler.send(new CreateScheduleCommand(schedule('nightly', 'rate(1 day)')))).rejects.toMatchObject({
      name: 'ConflictException',
    });
    await scheduler.send(new UpdateScheduleCommand(schedule('nightly', 'rate(2 days)')));
    const found = await scheduler.send(new GetScheduleCommand({ Name: 'nightly' }));
    const { Schedules } = await scheduler.send(new ListSchedulesCommand({ NamePrefix: 'night' }));
    await scheduler.send(new DeleteScheduleCommand({ Name: 'nightly' }));

    expect(found).toMatchObject({
      ScheduleExpression: 'rate(2 days)',
      State: 'ENABLED',
      Target: { Input: '{"run":true}' },
    });
    expect(found.CreationDate).toBeInstanceOf(Date);
    expect(Schedules?.map((each) => each.Name)).toEqual(['nightly']);
    await expect(scheduler.send(new GetScheduleCommand({ Name: 'nightly' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
  });

  it('refuse an expression that cannot be read', async () => {
    await expect(scheduler.send(new CreateScheduleCommand(schedule('bad', 'every(5 minutes)')))).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });

  it('fire when told to, and by the clock', async () => {
    await scheduler.send(new CreateScheduleCommand(schedule('manual', 'rate(1 day)', '{"by":"hand"}')));
    const response = await fetch(`${running.aws.endpoint}/_glimpse/schedules/manual/fire`, { method: 'POST' });
    await scheduler.send(new CreateScheduleCommand(schedule('quick', 'rate(1 second)', '{"by":"clock"}')));

    expect(response.status).toBe(200);
    await until('both', async () => fired.length >= 2);
    expect(fired).toEqual(expect.arrayContaining([{ by: 'hand' }, { by: 'clock' }]));
  });

  it('survive a kill', async () => {
    await scheduler.send(new CreateScheduleCommand(schedule('kept', 'rate(1 day)')));
    await running.killControl();

    expect(await scheduler.send(new GetScheduleCommand({ Name: 'kept' }))).toMatchObject({ Name: 'kept' });
  });
});
