/** Settings and sizes of the stage being deployed, read once; the first module that any other of infra/ imports. */
import { readSettings } from './settings.ts';
import { sizesOf } from './sizes.ts';

const stage = $app.stage;
export const settings = readSettings(stage, process.env, $cli.paths.root);
export const sizes = sizesOf(stage);
/** An emulator: no CDN, no containers, nothing that has to be paid for there. */
export const onLocalStack = stage === 'localstack';

/** Names of raw AWS resources: app and stage in front, as the components name theirs. */
export const named = (name: string): string => `${$app.name}-${stage}-${name}`;

/** Of the metrics that functions write (aws/telemetry.ts), and those made of their logs. */
export const METRICS_NAMESPACE = named('glimpse');

/** `import-begin` → `ImportBegin`: logical names are letters and digits. */
export const logical = (name: string): string =>
  name.replaceAll(/(^|-)([a-z])/g, (_, _dash: string, letter: string) => letter.toUpperCase());

const identity = aws.getCallerIdentityOutput({});
export const account = identity.accountId;
