import { BackendUnavailable } from '../core/errors.ts';

/** A Keystone that takes longer than this is as good as away. */
const TIMEOUT_MS = 10_000;

/** What is asked of Keystone, bound to its address. @throws BackendUnavailable when it cannot be reached in time. */
export type AskKeystone = (
  path: string,
  init: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string },
) => Promise<Response>;

/** @param authUrl with or without `/v3`, as clients take it. */
export function askAt(authUrl: string): AskKeystone {
  const trimmed = authUrl.replace(/\/+$/, '');
  const base = trimmed.endsWith('/v3') ? trimmed : `${trimmed}/v3`;
  return async (path, init) => {
    try {
      return await fetch(`${base}${path}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
    } catch (error) {
      throw new BackendUnavailable(`The identity service at ${base} cannot be reached.`, { cause: error });
    }
  };
}
