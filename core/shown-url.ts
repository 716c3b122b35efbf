/** URLs as they may be shown. */

/**
 * A URL as messages, logs and tasks may show it: what may be a secret (user, password, query, fragment) is left out. What cannot be
 * read as a URL is not repeated at all.
 */
export function shownUri(uri: string): string {
  const url = parseUrl(uri);
  return url === undefined ? '(no URL)' : `${url.protocol}//${url.host}${url.pathname}`;
}

/**
 * Whatever JSON, with every URL in it as `shownUri` has it that carries what may be a secret; all else as it is. What begins as a URL and
 * cannot be read as one is not repeated.
 */
export function withoutSecrets<T>(value: T): T {
  if (typeof value === 'string') return withoutSecretsIn(value) as T;
  if (Array.isArray(value)) return value.map(withoutSecrets) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)])) as T;
}

function withoutSecretsIn(text: string): string {
  if (!/^\s*[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(text)) return text;
  const url = parseUrl(text.trim());
  const isPlain = url !== undefined && `${url.username}${url.password}${url.search}${url.hash}` === '';
  return isPlain ? text : shownUri(text.trim());
}

/** Undefined for what is no absolute URL with a scheme and a host. */
export function parseUrl(uri: string): URL | undefined {
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(uri)) return undefined;
  const url = URL.parse(uri);
  return url === null || url.hostname === '' ? undefined : url;
}
