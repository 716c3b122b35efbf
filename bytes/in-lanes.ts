import { abortReason } from './abort-reason.ts';

/**
 * Runs `work(0)` … `work(count - 1)`, `lanes` at once; the first failure stops the rest and is thrown when all lanes stand still.
 * @throws what `work` throws; the signal's reason
 */
export async function inLanes(
  {
    count,
    lanes,
    signal,
  }: { readonly count: number; readonly lanes: number; readonly signal?: AbortSignal | undefined },
  work: (n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    while (next < count && failure === undefined) {
      try {
        if (signal?.aborted === true) throw abortReason(signal);
        await work(next++);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(lanes, count) }, lane));
  if (failure !== undefined) throw (failure as { readonly error: unknown }).error;
}
