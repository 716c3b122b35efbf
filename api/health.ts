import { escapeHtml } from './errors.ts';

export interface HealthAnswer {
  readonly statusCode: number;
  readonly contentType?: string;
  readonly body: string;
}

/** Answer of `/healthcheck` (contract: README.md "Health check"). `disabled` is the reason, undefined when healthy. */
export function healthAnswer(method: string, accept: string | undefined, disabled: string | undefined): HealthAnswer {
  const statusCode = disabled === undefined ? 200 : 503;
  if (method === 'HEAD') return { statusCode: disabled === undefined ? 204 : 503, body: '' };
  const reason = disabled ?? 'OK';
  if (accept?.includes('application/json'))
    return {
      statusCode,
      contentType: 'application/json',
      body: JSON.stringify({ detailed: false, reasons: [reason] }),
    };
  if (accept?.includes('text/html')) {
    const body = `<html><head><title>Healthcheck</title></head><body><h1>${escapeHtml(reason)}</h1></body></html>`;
    return { statusCode, contentType: 'text/html; charset=UTF-8', body };
  }
  return { statusCode, contentType: 'text/plain; charset=UTF-8', body: reason };
}
