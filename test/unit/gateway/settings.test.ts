import { expect, it } from 'vitest';
import { gatewayOptions } from '../../../gateway/settings.ts';

it('takes the budgets of uploads and downloads from the environment, in MiB', () => {
  const env = { GLIMPSE_UPLOAD_BUDGET_MIB: '32', GLIMPSE_DOWNLOAD_BUDGET_MIB: '1' };

  expect(gatewayOptions(env)).toEqual({ uploadBudgetBytes: 33_554_432, downloadBudgetBytes: 1_048_576 });
  expect(gatewayOptions({ GLIMPSE_UPLOAD_BUDGET_MIB: '' })).toEqual({});
});

it.each([
  ['GLIMPSE_UPLOAD_BUDGET_MIB', '31', 32],
  ['GLIMPSE_UPLOAD_BUDGET_MIB', 'much', 32],
  ['GLIMPSE_DOWNLOAD_BUDGET_MIB', '0', 1],
  ['GLIMPSE_DOWNLOAD_BUDGET_MIB', '1.5', 1],
  ['GLIMPSE_DOWNLOAD_BUDGET_MIB', '10000', 1],
])('%s: "%s" is refused', (name, value, least) => {
  expect(() => gatewayOptions({ [name]: value })).toThrow(`${name}: "${value}" is not a number from ${least} to 9999`);
});
