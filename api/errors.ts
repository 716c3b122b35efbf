/**
 * The one place that knows which status code a kind of error has and how the image service writes an error body
 * (contract: image-api/README.md "Error bodies"). The functions and the gateway answer with it, the client reads it back.
 */
import {
  BackendUnavailable,
  Busy,
  Conflict,
  type ErrorKind,
  Forbidden,
  Gone,
  HeaderTooLarge,
  ImageServiceError,
  InvalidInput,
  LimitExceeded,
  MethodNotAllowed,
  NotDeployed,
  NotFound,
  NotImplemented,
  RangeNotSatisfiable,
  TooManyRequests,
  Unauthenticated,
  UnsupportedMedia,
} from '../core/errors.ts';

export const HTTP_STATUS = {
  InvalidInput: 400,
  Unauthenticated: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  TooSlow: 408,
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
  Throttled: 503,
  Busy: 503,
  NotDeployed: 503,
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
  408: 'Request Timeout',
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

/** What is away, or was asked too much, serves again within seconds as a rule. */
const RETRY_SECONDS = '2';

/** When to ask again, for an error that another try may mend. */
export function retryHeader(error: unknown): Record<string, string> {
  if (error instanceof TooManyRequests || error instanceof Busy)
    return { 'retry-after': String(error.retryAfterSeconds) };
  const isAway = statusOf(error) === 503 && !(error instanceof NotDeployed);
  return isAway ? { 'retry-after': RETRY_SECONDS } : {};
}

function headersOf(error: unknown, context: ErrorContext): Record<string, string> {
  if (error instanceof MethodNotAllowed) return { allow: error.allow.join(', ') };
  const retry = retryHeader(error);
  if (Object.keys(retry).length > 0) return retry;
  if (error instanceof UnsupportedMedia && error.acceptPatch !== undefined)
    return { 'accept-patch': error.acceptPatch };
  if (statusOf(error) === 401 && context.identityUrl !== undefined)
    return { 'www-authenticate': `Keystone uri="${context.identityUrl}"` };
  return {};
}

/** A body for a status, in the form that the Accept header prefers: HTML, nested JSON or text. */
function errorBody(status: number, detail: string, accept: string | undefined): { contentType: string; body: string } {
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

type Reader = (message: string, headers: Pick<Headers, 'get'>) => ImageServiceError;

/** What a status means to a client; where several kinds share one, the kind that clients can cause. */
const READ_BACK: Readonly<Record<number, Reader>> = {
  401: (message) => new Unauthenticated(message),
  403: (message) => new Forbidden(message),
  404: (message) => new NotFound(message),
  405: (message, headers) => new MethodNotAllowed(message, (headers.get('allow') ?? '').split(/, */).filter(Boolean)),
  409: (message) => new Conflict(message),
  410: (message) => new Gone(message),
  413: (message) => new LimitExceeded(message),
  415: (message, headers) => {
    const acceptPatch = headers.get('accept-patch');
    return new UnsupportedMedia(message, acceptPatch === null ? {} : { acceptPatch });
  },
  416: (message) => new RangeNotSatisfiable(message),
  429: (message, headers) => new TooManyRequests(message, Number(headers.get('retry-after') ?? 1)),
  431: (message) => new HeaderTooLarge(message),
  501: (message) => new NotImplemented(message),
};

/**
 * The error that an answer tells of, in the service's own kinds: any other status of 500 and more is BackendUnavailable, any other
 * below InvalidInput.
 * @param asked method and path, for the message: `GET /v2/images/x: 404: what the service said`
 */
export function errorOf(status: number, headers: Pick<Headers, 'get'>, text: string, asked: string): ImageServiceError {
  const message = `${asked}: ${status}: ${saidIn(text)}`;
  const read = READ_BACK[status];
  if (read !== undefined) return read(message, headers);
  return status >= 500 ? new BackendUnavailable(message) : new InvalidInput(message);
}

/** The kind of an error, for who does not know the classes; undefined for what is not one of ours. */
export function kindOf(error: unknown): string | undefined {
  return error instanceof ImageServiceError ? error.kind : undefined;
}

/** The message of an error body of any form, in one line. */
function saidIn(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    const { error } = Object(body);
    if (typeof error?.message === 'string') return error.message;
  } catch {
    // not JSON: shown as it is
  }
  return text.replaceAll(/(?:<[^>]*>|\s)+/g, ' ').trim();
}
