/** Bytes by HTTP, as object stores take and give them: what is sent is told piece by piece, and a connection that stands still ends. */
import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';

export interface Call {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the body went out since the last time. */
  onSent?(bytes: number): void;
}

/** A connection on which nothing moves for so long is given up. Milliseconds. */
const STALL_MS = 60_000;
/** Bytes handed to a connection at a time: as often as progress is told. */
const PIECE = 256 * 1024;

/** Proxies of the environment count where Node's own switch says so, as for its `fetch`. */
const OPTIONS = {
  keepAlive: true,
  maxSockets: 64,
  ...(process.env['NODE_USE_ENV_PROXY'] === '1' && { proxyEnv: process.env }),
};
const AGENTS = { 'http:': new http.Agent(OPTIONS), 'https:': new https.Agent(OPTIONS) };

/**
 * Sends one request.
 * @returns the answer, whatever its status; its body has to be read or destroyed
 * @throws Error with the code of the connection that broke; TypeError for a URL that is not of HTTP; the signal's reason
 */
export async function call(
  url: string,
  { method, headers = {}, body, signal, onSent }: Call,
): Promise<IncomingMessage> {
  const { protocol } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`${protocol} is not spoken`);
  signal?.throwIfAborted();
  const request = (protocol === 'http:' ? http : https).request(url, {
    method,
    agent: AGENTS[protocol],
    headers: { ...headers, ...(body !== undefined && { 'content-length': String(body.length) }) },
    ...(signal && { signal }),
  });
  request.setTimeout(STALL_MS, () => {
    request.destroy(Object.assign(new Error(`nothing moved for ${STALL_MS / 1000} s`), { code: 'ETIMEDOUT' }));
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
  // What is refused at once is answered before all of it went out.
  const isAnswered = answered.then(
    () => true,
    () => true,
  );
  if (body !== undefined) await write(request, body, isAnswered, onSent);
  request.end();
  return answered;
}

async function write(
  request: http.ClientRequest,
  body: Uint8Array,
  isAnswered: Promise<boolean>,
  onSent: Call['onSent'],
): Promise<void> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  request.once('response', end);
  request.once('error', end);
  for (let at = 0; at < body.length && !ended; at += PIECE) {
    const piece = body.subarray(at, at + PIECE);
    if (!request.write(piece)) await Promise.race([once(request, 'drain').catch(() => undefined), isAnswered]);
    onSent?.(piece.length);
  }
}

/** The first bytes of a body as text, for what an error says. */
export async function textOf(answer: IncomingMessage, most = 4096): Promise<string> {
  let text = '';
  answer.setEncoding('utf8');
  for await (const piece of answer) {
    text += piece;
    if (text.length >= most) break;
  }
  answer.destroy();
  return text.slice(0, most);
}
