import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';

/** Bodies of these types are passed as text, all others as base64, as API Gateway does. */
const TEXT = /^(text\/[\w.+-]+|application\/(json|javascript|xml))\s*(;|$)/i;

/** Headers that API Gateway does not pass on, or passes elsewhere. */
const LEFT_OUT = new Set(['cookie', 'connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'te', 'trailer']);

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Makes the event that an HTTP API passes to a Lambda function: payload format 2.0 (API Gateway Developer Guide, "Work with
 * AWS Lambda proxy integrations for HTTP APIs").
 */
export function proxyEvent(req: IncomingMessage, body: Buffer): APIGatewayProxyEventV2 {
  const target = req.url ?? '/';
  const mark = target.indexOf('?');
  const rawPath = decodedPath(mark < 0 ? target : target.slice(0, mark));
  const rawQueryString = mark < 0 ? '' : target.slice(mark + 1);
  const headers = headersOf(req);
  const cookies = req.headers.cookie?.split(/; */).filter((cookie) => cookie !== '');
  const now = new Date();
  const isText = TEXT.test(headers['content-type'] ?? 'text/plain');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookies === undefined || cookies.length === 0 ? {} : { cookies }),
    headers,
    ...(rawQueryString === '' ? {} : { queryStringParameters: queryOf(rawQueryString) }),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: headers['host'] ?? '',
      domainPrefix: 'local',
      http: {
        method: req.method ?? 'GET',
        path: rawPath,
        protocol: `HTTP/${req.httpVersion}`,
        sourceIp: req.socket.remoteAddress ?? '',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: clfTime(now),
      timeEpoch: now.getTime(),
    },
    ...(body.length === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  };
}

/**
 * A path as an HTTP API passes it: decoded once and as a whole, so that `%2F` cannot be told from `/` afterwards. What is no UTF-8, or
 * no encoding at all, becomes U+FFFD.
 */
export function decodedPath(path: string): string {
  return path.replaceAll(/(?:%[0-9a-f]{2})+|%/gi, (run) =>
    run === '%' ? '\ufffd' : Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
}

/** Names in lower case, repeated values joined by a comma. */
function headersOf(req: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(req.headersDistinct)) {
    if (values !== undefined && !LEFT_OUT.has(name)) headers[name] = values.join(',');
  }
  return headers;
}

function queryOf(rawQueryString: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQueryString)) {
    query[name] = Object.hasOwn(query, name) ? `${query[name]},${value}` : value;
  }
  return query;
}

/** Common log format, for example `12/Mar/2026:19:03:58 +0000`. */
function clfTime(at: Date): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()]}/${at.getUTCFullYear()}`;
  return `${day}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}
