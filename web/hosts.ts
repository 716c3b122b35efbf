/** Connections beside the first of each download, by host: all downloads of this process together have no more than one may have. */
const beside = new Map<string, number>();

/** Takes as many of `wanted` as are left of `most`, until the signal is aborted. */
export function takeConnections(host: string, wanted: number, most: number, signal: AbortSignal): number {
  const taken = Math.max(0, Math.min(wanted, most - (beside.get(host) ?? 0)));
  if (taken === 0 || signal.aborted) return 0;
  beside.set(host, (beside.get(host) ?? 0) + taken);
  const give = (): void => {
    const left = (beside.get(host) ?? 0) - taken;
    if (left > 0) beside.set(host, left);
    else beside.delete(host);
  };
  signal.addEventListener('abort', give, { once: true });
  return taken;
}
