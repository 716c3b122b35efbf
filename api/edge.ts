/**
 * What every entry point does around an operation, as pure steps: the chain of the Lambda functions and the gateway are made of them.
 *
 *   request id ── CORS preflight ── health, versions ── identity ── operation, or errors ── common headers
 */
import type { Config } from '../core/config.ts';
import type { Authenticator } from '../core/identity/authenticator.ts';
import type { Log } from '../core/log.ts';
import { cacheControl } from './cache-control.ts';
import { corsHeaders } from './cors.ts';
import { type ErrorAnswer, errorAnswer, statusOf } from './errors.ts';
import { healthAnswer } from './health.ts';
import { requestIdOf } from './request-id.ts';
import { selectVersion, versionsView } from './versions.ts';

/** A request before anything of it is read. */
export interface Arrival {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Where it was sent, for one without a Host header. */
  readonly host: string;
}

/** An answer as any server can send it. Header names are lower case. */
export interface EdgeAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface EdgeOptions {
  readonly config: Config;
  readonly newId: () => string;
  readonly log: Log;
}

/** OPTIONS is answered on every path, known or not, without a token. */
export function preflightAnswer({ method }: Arrival): EdgeAnswer | undefined {
  return method === 'OPTIONS' ? { statusCode: 200, headers: {}, body: '' } : undefined;
}

/** @throws HeaderTooLarge */
export function arrivalId({ headers }: Arrival, { config, newId }: Pick<EdgeOptions, 'config' | 'newId'>): string {
  return requestIdOf(headers['x-openstack-request-id'], config.max_request_id_length, newId);
}

/** Health, versions and version negotiation, which no token is looked at for; else the path with its version as `/v2`. */
export function openAnswer(
  arrival: Arrival,
  config: Pick<Config, 'public_endpoint'>,
  disabled?: () => string | undefined,
): EdgeAnswer | { readonly path: string } {
  const accept = arrival.headers['accept'];
  if (arrival.path === '/healthcheck') {
    const { statusCode, contentType, body } = healthAnswer(arrival.method, accept, disabled?.());
    return { statusCode, headers: contentType === undefined ? {} : { 'content-type': contentType }, body };
  }
  const selected = selectVersion(arrival.path, accept);
  if (selected.kind === 'api') return { path: selected.path };
  return jsonAnswer(selected.status, versionsView(baseUrlOf(arrival, config)));
}

/** What identity is asked with. */
export function tokensOf({ headers }: Arrival, requestId: string): Parameters<Authenticator['authenticate']>[0] {
  return {
    token: headers['x-auth-token'] ?? headers['x-storage-token'],
    serviceToken: headers['x-service-token'],
    requestId,
  };
}

/** The image service's answer to whatever was thrown; what is our fault is logged. */
export function refusal(
  error: unknown,
  arrival: Arrival,
  { config, log }: Omit<EdgeOptions, 'newId'>,
  requestId?: string,
): ErrorAnswer {
  logFault(error, arrival, log, requestId);
  return errorAnswer(error, { accept: arrival.headers['accept'], identityUrl: identityUrlOf(arrival, config) });
}

export function logFault(error: unknown, { path }: Arrival, log: Log, requestId?: string): void {
  if (statusOf(error) < 500) return;
  log.error('request failed', { ...(requestId !== undefined && { requestId }), path, error: told(error) });
}

/** Whatever was thrown, with where and why, for the log. */
export function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${told(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** What every answer carries besides its own; a 401 of the token filter, and what comes before it, shows no request id. */
export function commonHeaders(
  { method, headers }: Arrival,
  { cors_allowed_origins: origins }: Pick<Config, 'cors_allowed_origins'>,
  requestId: string | undefined,
): Record<string, string> {
  const isPreflight = method === 'OPTIONS';
  return {
    // Names and bytes are those of strangers: a browser takes each answer for what it says it is, and for no page.
    ...(!isPreflight && { 'cache-control': cacheControl(false), 'x-content-type-options': 'nosniff' }),
    ...corsHeaders(headers['origin'], origins, isPreflight),
    ...(requestId !== undefined && { 'x-openstack-request-id': requestId }),
  };
}

/** Whether an answer to `error` shows the request id. */
export const showsId = (error: unknown): boolean => statusOf(error) !== 401;

/** Scheme and host of links: the configured endpoint, else what the request was sent to. No slash at the end. */
export function baseUrlOf({ headers, host }: Arrival, config: Pick<Config, 'public_endpoint'>): string {
  if (config.public_endpoint !== undefined) return config.public_endpoint.replace(/\/+$/, '');
  const proto = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  return `${proto}://${headers['host'] ?? host}`;
}

/** Of the challenge of a 401. */
function identityUrlOf(arrival: Arrival, config: Config): string {
  return config.identity.auth_url ?? `${baseUrlOf(arrival, config)}/identity`;
}

export function jsonAnswer(statusCode: number, value: unknown): EdgeAnswer {
  return { statusCode, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}
