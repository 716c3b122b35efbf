/**
 * The one place that knows which status code a kind of error has and how the image service writes an error body
 * (contract: image-api/README.md "Error bodies"). The functions and the gateway answer with it.
 */
import {
  type ErrorKind,
  ImageServiceError,
  MethodNotAllowed,
  TooManyRequests,
  UnsupportedMedia,
} from '../core/errors.ts';

export const HTTP_STATUS = {
  InvalidInput: 400,
  Unauthenticated: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  Conflict: 409,
  StaleRevision: 409,
  Gone: 410,
  LimitExceeded: 413,
  UnsupportedMedia: 415,
  RangeNotSatisfiable: 416,
  TooManyRequests: 429,
  HeaderTooLarge: 431,
  NotImplemented: 501,
  BackendUnavailable: 503,
  TaskAborted: 410,
  FetchFailed: 400,
  ImageRefused: 415,
  StoreFailed: 503,
  NothingStored: 503,
  StepTooLong: 503,
} as const satisfies Record<ErrorKind, number>;

/** Reason phrases, by status. */
export const REASONS: Readonly<Record<number, string>> = {
  300: 'Multiple Choices',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'Request Entity Too Large',
  415: 'Unsupported Media Type',
  416: 'Requested Range Not Satisfiable',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** An error as it goes on the wire. Header names are lower case. */
export interface ErrorAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface ErrorContext {
  /** The request's Accept header. */
  readonly accept?: string | undefined;
  /** Base URL of the identity service, for the challenge of a 401. */
  readonly identityUrl?: string;
}

const INTERNAL = 'The server has either erred or is incapable of performing the requested operation.';

/** Status of an error: its kind's, or 500 for anything that is not one of ours. */
export function statusOf(error: unknown): number {
  return error instanceof ImageServiceError ? (HTTP_STATUS[error.kind as ErrorKind] ?? 500) : 500;
}

/** Renders any thrown value. What is not one of our errors becomes a 500 that says nothing of the inside. */
export function errorAnswer(error: unknown, context: ErrorContext = {}): ErrorAnswer {
  const status = statusOf(error);
  const detail = status !== 500 && error instanceof Error ? shortened(error.message) : INTERNAL;
  const { contentType, body } = errorBody(status, detail, context.accept);
  return { statusCode: status, headers: { 'content-type': contentType, ...headersOf(error, context) }, body };
}

/** Messages repeat what was sent; nobody reads kilobytes of it. */
const LONGEST = 1000;
const shortened = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text);

function headersOf(error: unknown, context: ErrorContext): Record<string, string> {
  if (error instanceof MethodNotAllowed) return { allow: error.allow.join(', ') };
  if (error instanceof TooManyRequests) return { 'retry-after': String(error.retryAfterSeconds) };
  if (error instanceof UnsupportedMedia && error.acceptPatch !== undefined)
    return { 'accept-patch': error.acceptPatch };
  if (statusOf(error) === 401 && context.identityUrl !== undefined)
    return { 'www-authenticate': `Keystone uri="${context.identityUrl}"` };
  return {};
}

/** A body for a status, in the form that the Accept header prefers: HTML, nested JSON or text. */
export function errorBody(
  status: number,
  detail: string,
  accept: string | undefined,
): { contentType: string; body: string } {
  const reason = REASONS[status] ?? 'Error';
  switch (preferredForm(accept)) {
    case 'html':
      return { contentType: 'text/html; charset=UTF-8', body: htmlBody(`${status} ${reason}`, detail) };
    case 'json':
      return {
        contentType: 'application/json',
        body: JSON.stringify({ error: { code: status, title: reason, message: detail } }),
      };
    case 'text':
      return { contentType: 'text/plain; charset=UTF-8', body: `${status} ${reason}\n\n${detail}\n\n   ` };
  }
}

function htmlBody(title: string, detail: string): string {
  return `<html>
 <head>
  <title>${title}</title>
 </head>
 <body>
  <h1>${title}</h1>
  ${escapeHtml(detail)}<br /><br />



 </body>
</html>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
};

/** Text that may stand between tags. Quotes stay as they are: the clients print the text without decoding it. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character] ?? character);
}

const HTML_RANGES = new Set(['*/*', 'text/*', 'text/html']);
const JSON_RANGES = new Set(['application/json', 'application/*']);

/**
 * The original chooses between HTML and JSON by q value, HTML first; everything else gets text. An empty header, which
 * openstacksdk sends with its patches, gets HTML here: of text it would show its users the reason phrase only.
 */
function preferredForm(accept: string | undefined): 'html' | 'json' | 'text' {
  if (accept === '') return 'html';
  let html = 0;
  let json = 0;
  for (const { range, quality } of mediaRanges(accept ?? '')) {
    if (HTML_RANGES.has(range)) html = Math.max(html, quality);
    if (JSON_RANGES.has(range)) json = Math.max(json, quality);
  }
  if (html === 0 && json === 0) return 'text';
  return html >= json ? 'html' : 'json';
}

function mediaRanges(accept: string): { range: string; quality: number }[] {
  return accept.split(',').map((part) => {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const given = parameters.find((parameter) => parameter.startsWith('q='));
    const quality = given === undefined ? 1 : Number(given.slice(2));
    return { range, quality: Number.isFinite(quality) ? quality : 0 };
  });
}
