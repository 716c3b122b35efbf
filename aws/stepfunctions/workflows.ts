import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { WorkflowPort } from '../../core/executions/workflow.ts';
import { patient } from '../throttling.ts';
import { oldestCallMs } from './calls.ts';

/** Executions of the import workflow. Their name is the task id, so a second start finds the first. */
export function createWorkflows(sfn: SFNClient, stateMachineArn: string): WorkflowPort {
  const client = patient(sfn);
  const executionArn = (taskId: string): string =>
    `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${taskId}`;
  return {
    async startImport({ id, imageId }) {
      try {
        await client.send(
          new StartExecutionCommand({ stateMachineArn, name: id, input: JSON.stringify({ taskId: id, imageId }) }),
        );
      } catch (error) {
        if (!(error instanceof ExecutionAlreadyExists)) throw error;
      }
    },

    async stop(taskId, cause) {
      try {
        await client.send(
          new StopExecutionCommand({ executionArn: executionArn(taskId), error: 'TaskAborted', cause }),
        );
      } catch (error) {
        if (!(error instanceof ExecutionDoesNotExist)) throw error;
      }
    },

    async statusOf(taskId) {
      try {
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn: executionArn(taskId) }));
        return status === 'PENDING_REDRIVE' ? 'RUNNING' : status;
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return undefined;
        throw error;
      }
    },

    async busySince(taskId) {
      try {
        return oldestCallMs(await historyOf(client, executionArn(taskId)));
      } catch (error) {
        if (error instanceof ExecutionDoesNotExist) return undefined;
        throw error;
      }
    },
  };
}

/** All of it: 25,000 events at most, of which a page has a thousand. */
async function historyOf(client: SFNClient, executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(
      new GetExecutionHistoryCommand({
        executionArn,
        maxResults: 1_000,
        includeExecutionData: false,
        ...(token === undefined ? {} : { nextToken: token }),
      }),
    );
    events.push(...(page.events ?? []));
    token = page.nextToken;
  } while (token !== undefined);
  return events;
}
