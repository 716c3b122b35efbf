/**
 * Concurrent executions of functions: which function has some of its own, and whether the account has as many. Without, one import that
 * renders takes all that the account has, and the functions that would end it wait with everybody else's.
 */
import type { FunctionName } from '../workflows/topology.ts';
import { SettingsError } from './settings.ts';
import { onLocalStack, settings, sizes } from './stage.ts';

/** Executions that AWS never lets an account reserve (AWS Lambda developer guide, "Configuring reserved concurrency"). */
const UNRESERVED = 100;
/** "Concurrent executions" of AWS Lambda (Service Quotas). */
const QUOTA = { serviceCode: 'lambda', quotaCode: 'L-B99A9384' } as const;

/** By function; empty where the stage shares what the account has. */
export const reserved: Readonly<Partial<Record<FunctionName, number>>> =
  settings.concurrency === 'shared'
    ? {}
    : {
        ...sizes.apiConcurrency,
        ...sizes.importConcurrency,
        ...(settings.renderConcurrency !== undefined && { 'import-render': settings.renderConcurrency }),
      };

/**
 * What other stages reserve is theirs and not known here: AWS then refuses by itself.
 * @throws SettingsError when the account allows fewer executions than the stage reserves
 */
async function checkAccount(): Promise<void> {
  const sum = Object.values(reserved).reduce((total, one) => total + one, 0);
  if (sum === 0) return;
  const { value } = await aws.servicequotas.getServiceQuota(QUOTA);
  if (value < sum + UNRESERVED)
    throw new SettingsError(
      `This account allows ${value} concurrent executions in ${settings.region}; the stage reserves ${sum}, and AWS keeps ${UNRESERVED} for all others: raise the quota ${QUOTA.quotaCode} of lambda, or deploy with GLIMPSE_CONCURRENCY=shared (docs/operations/capacity.md).`,
    );
}

// Asked when something is deployed only: whoever looks at a difference needs no right to read quotas.
if (!onLocalStack && $cli.command === 'deploy') await checkAccount();
