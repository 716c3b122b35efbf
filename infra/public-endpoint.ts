/**
 * The base URL in links and in the catalog: it follows the edge. Functions and gateway need it, and the edge needs their addresses;
 * so it is promised here and settled by the program once the edge is declared. No resource waits for one that waits for it.
 */
const { promise, resolve } = Promise.withResolvers<$util.Input<string>>();

export const publicEndpoint: $util.Output<string> = $util.output(promise).apply((url) => url.replace(/\/+$/, ''));

export const settlePublicEndpoint = (url: $util.Input<string>): void => resolve(url);
