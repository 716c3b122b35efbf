import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ApiHandler } from '../../../../functions/api/chain.ts';
import { lazily } from '../../../../functions/api/lazily.ts';

const FUNCTION = 'AWS_LAMBDA_FUNCTION_NAME';
const answers: ApiHandler = async () => ({ statusCode: 204 });
const event = {} as Parameters<ApiHandler>[0];

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('an entry point', () => {
  test('is built when its function starts, before any request', () => {
    vi.stubEnv(FUNCTION, 'glimpse-dev-api-images');
    const build = vi.fn(async () => answers);

    lazily(build);

    expect(build).toHaveBeenCalledOnce();
  });

  test('is built by its first request elsewhere, once', async () => {
    vi.stubEnv(FUNCTION, undefined);
    const build = vi.fn(async () => answers);
    const handler = lazily(build);

    expect(build).not.toHaveBeenCalled();
    expect(await handler(event)).toEqual({ statusCode: 204 });
    expect(await handler(event)).toEqual({ statusCode: 204 });
    expect(build).toHaveBeenCalledOnce();
  });

  test('is built again after a build that failed', async () => {
    vi.stubEnv(FUNCTION, undefined);
    const build = vi.fn(async () => answers).mockRejectedValueOnce(new Error('not yet'));
    const handler = lazily(build);

    await expect(handler(event)).rejects.toThrow('not yet');
    expect(await handler(event)).toEqual({ statusCode: 204 });
  });
});
