/** What could not be delivered, or what a function that an event called could not do after all its retries. */
import { named } from './stage.ts';

const FOURTEEN_DAYS = 1_209_600;

export const deadLetters = new aws.sqs.Queue('DeadLetters', {
  name: named('dead-letters'),
  sqsManagedSseEnabled: true,
  messageRetentionSeconds: FOURTEEN_DAYS,
});
