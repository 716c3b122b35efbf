/**
 * The Web of core/imports/web.ts. Hosts are hostile: every hop passes the URI filter, and so does the address of every connection. Only
 * the origin of an address of the operator's own passes unasked, and is told what is meant for it.
 */
import type { IncomingMessage } from 'node:http';
import { FetchFailed } from '../core/errors.ts';
import type { Web, WebAnswer, WebRest } from '../core/imports/web.ts';
import { shownUri } from '../core/shown-url.ts';
import { givesParts, lengthOf, lengthOfPart, type Part, refusalOf, validatorOf } from './answer.ts';
import { goingOn } from './going-on.ts';
import { takeConnections } from './hosts.ts';
import { type Asking, agentsUntil, follow } from './request.ts';

/** Bytes of a JSON document that is read at most. */
const MAX_JSON = 1024 * 1024;

export function createWeb(config: Asking['config']): Web {
  const asking = (source: Asking['source'], signal: AbortSignal): Asking => ({
    ...{ source, config, signal, agents: agentsUntil(signal) },
  });
  return {
    open: (source, signal, rest) => open(asking(source, signal), rest),
    readJson: (source, signal) => readJson(asking(source, signal)),
  };
}

async function open(asking: Asking, rest: WebRest | undefined): Promise<WebAnswer> {
  if (rest === undefined) return accept(asking, await follow(asking, {}));
  const part = { start: rest.offset, validator: rest.validator, length: rest.length };
  const response = await follow(asking, headersFor(part));
  const length = lengthOfPart(response, part);
  if (length !== undefined) return answer(asking, response, { ...rest, length });
  if (response.statusCode === 200) return accept(asking, response);
  response.destroy();
  return open(asking, undefined);
}

function accept(asking: Asking, response: IncomingMessage): WebAnswer {
  const refusal = refusalOf(response);
  if (refusal !== undefined) {
    response.destroy();
    throw new FetchFailed(`${shownUri(asking.source.uri)} answered ${refusal}`);
  }
  return answer(asking, response, { offset: 0, validator: validatorOf(response), length: lengthOf(response) });
}

/** An answer that was accepted, and what else can be had of the version that it names. */
function answer(
  asking: Asking,
  response: IncomingMessage,
  { offset, validator, length }: Pick<WebAnswer, 'offset' | 'validator' | 'length'>,
): WebAnswer {
  const { signal, source } = asking;
  const stretch = { uri: source.uri, signal };
  if (validator === undefined)
    return { offset, validator, length, body: goingOn({ ...stretch, start: offset, end: length, first: response }) };
  const askUntil = (end?: number) => (from: number) =>
    part(asking, { start: from, ...(end === undefined ? {} : { end }), validator, length });
  const body = goingOn({ ...stretch, start: offset, end: length, first: response, ask: askUntil() });
  if (length === undefined || !givesParts(response)) return { offset, validator, length, body };
  const read = (start: number, end: number) => goingOn({ ...stretch, start, end, ask: askUntil(end) });
  return { offset, validator, length, body, ranges: { read, connections: connectionsFor(asking) } };
}

/** Undefined when the answer is not that part of that version. */
async function part(asking: Asking, wanted: Part): Promise<IncomingMessage | undefined> {
  const response = await follow(asking, headersFor(wanted));
  if (lengthOfPart(response, wanted) !== undefined) return response;
  response.destroy();
  return undefined;
}

const headersFor = ({ start, end, validator }: Part) => ({
  range: `bytes=${start}-${end === undefined ? '' : end - 1}`,
  'if-range': validator,
});

function connectionsFor({ source, config, signal }: Asking): number {
  const most = config.web_download.connections - 1;
  return 1 + takeConnections(new URL(source.uri).host, most, most, signal);
}

async function readJson(asking: Asking): Promise<unknown> {
  const { uri } = asking.source;
  const { body } = accept(asking, await follow(asking, {}));
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_JSON) throw new FetchFailed(`${shownUri(uri)} answered more than ${MAX_JSON} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) as unknown;
  } catch (error) {
    throw new FetchFailed(`${shownUri(uri)} answered what is no JSON`, { cause: error });
  }
}
