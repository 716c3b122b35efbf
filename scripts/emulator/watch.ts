/** Looks whether an emulator still has what was provisioned: it may end, or be started anew without its state, while the service runs. */
import { DescribeStateMachineCommand, SFNClient, StateMachineDoesNotExist } from '@aws-sdk/client-sfn';

const BETWEEN_MS = 5_000;
/** One that is only slow is there. Milliseconds. */
const PATIENT = { connectionTimeout: 30_000, requestTimeout: 120_000, throwOnRequestTimeout: true };

export type State = 'there' | 'away' | 'lost';

const SENTENCES = {
  there: 'is back, with its state',
  away: 'is away: what needs it answers 503 until it is back',
  lost: 'was started anew and has lost its state: start the service again (`npm start`), which provisions it',
} as const satisfies Record<State, string>;

/** Says each change of state once. */
export function watchState(
  client: { readonly endpoint: string; readonly region: string },
  stateMachineArn: string,
  title: string,
): { close(): void } {
  const sfn = new SFNClient({ ...client, requestHandler: PATIENT, maxAttempts: 1 });
  let known: State = 'there';
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    const state = await stateOf(sfn, stateMachineArn);
    busy = false;
    if (state === known) return;
    known = state;
    console.error(`${title} at ${client.endpoint} ${SENTENCES[state]}`);
  };
  const timer = setInterval(() => void look(), BETWEEN_MS);
  timer.unref();
  return {
    close: () => {
      clearInterval(timer);
      sfn.destroy();
    },
  };
}

async function stateOf(sfn: SFNClient, stateMachineArn: string): Promise<State> {
  try {
    await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
    return 'there';
  } catch (error) {
    return error instanceof StateMachineDoesNotExist ? 'lost' : 'away';
  }
}
