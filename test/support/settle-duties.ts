/** The janitor of a running service, as at the time when what it has to look at is due: no writer lives that long. */
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { createDutyRepository } from '../../aws/dynamodb/duties.ts';
import { tableOf } from '../../aws/dynamodb/table.ts';
import type { Duty } from '../../core/duties/duty.ts';
import { TABLE } from '../../workflows/topology.ts';
import type { Glimpse } from './glimpse.ts';
import { dynamoDbOf, lambdaOf } from './image-client.ts';

const PAGE = 100;

/** What the janitor has to look at, now or later. */
export const dutiesOf = (glimpse: Glimpse): Promise<Duty[]> =>
  createDutyRepository(tableOf(dynamoDbOf(glimpse), TABLE.name)).due(Number.MAX_SAFE_INTEGER, PAGE);

/**
 * Makes duties due now and runs the janitor once; of one image, or all.
 * @returns how many there were. @throws Error when the janitor failed
 */
export async function settleDuties(glimpse: Glimpse, imageId?: string): Promise<number> {
  const duties = createDutyRepository(tableOf(dynamoDbOf(glimpse), TABLE.name));
  const left = (await dutiesOf(glimpse)).filter((duty) => imageId === undefined || duty.imageId === imageId);
  for (const duty of left) await duties.put({ ...duty, dueAtMs: Date.now() });
  const { FunctionError } = await lambdaOf(glimpse).send(new InvokeCommand({ FunctionName: 'janitor', Payload: '{}' }));
  if (FunctionError !== undefined) throw new Error(`the janitor failed: ${FunctionError}`);
  return left.length;
}
