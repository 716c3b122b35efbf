import { describe, expect, it } from 'vitest';
import { foreignHost, foreignPage, hostNames } from '../../../../local/wire/web-guard.ts';

describe('the name that a request was sent to', () => {
  it.each<[string | undefined, readonly string[], boolean]>([
    [undefined, [], true],
    ['localhost', [], true],
    ['LOCALHOST:9292', [], true],
    ['localhost.', [], true],
    ['bucket.s3.localhost:80', [], true],
    ['127.0.0.1:9292', [], true],
    ['127.255.255.255', [], true],
    ['[::1]:9292', [], true],
    ['images.example:443', ['images.example'], true],
    ['images.example.', ['images.example'], true],
    ['images.example', [], false],
    ['other.example', ['images.example'], false],
    ['localhost.example', [], false],
    ['notlocalhost', [], false],
    ['.localhost', [], false],
    ['127.0.0.1.example', [], false],
    ['127.0.0', [], false],
    ['127.0.0.1234', [], false],
    ['[::1].example', [], false],
    ['x[::1]', [], false],
    ['', [], false],
  ])('%j is ours beside %j: %s', (host, hosts, ours) => {
    const refusal = foreignHost(host === undefined ? {} : { host }, { hosts });

    expect(refusal).toEqual(
      ours ? undefined : { status: 421, message: 'the request was sent to a name that is not of this service' },
    );
  });

  it('is one of loopback when nothing else is said', () => {
    expect(foreignHost({ host: 'localhost' })).toBeUndefined();
    expect(foreignHost({ host: 'images.example' })?.status).toBe(421);
  });
});

describe('the page that a request comes from', () => {
  const mayCome = (origin: string) => origin === 'https://console.example';
  it.each<[string, Record<string, string>, object, boolean]>([
    ['none', {}, {}, true],
    ['of this machine', { origin: 'http://localhost:3000' }, {}, true],
    ['of this machine, over TLS', { origin: 'HTTPS://127.0.0.1' }, {}, true],
    ['of a name that is ours', { origin: 'https://images.example' }, { hosts: ['images.example'] }, true],
    ['that may come', { origin: 'https://console.example' }, { mayCome }, true],
    [
      'that may come from another site',
      { origin: 'https://console.example', 'sec-fetch-site': 'cross-site' },
      { mayCome },
      true,
    ],
    ['of the same site', { origin: 'http://localhost', 'sec-fetch-site': 'same-site' }, {}, true],
    ['of another site', { origin: 'https://other.example' }, { mayCome }, false],
    ['of another site, without origin', { 'sec-fetch-site': 'cross-site' }, {}, false],
    [
      'of this machine that says it crosses sites',
      { origin: 'http://localhost', 'sec-fetch-site': 'cross-site' },
      {},
      false,
    ],
    ['that is sandboxed', { origin: 'null' }, {}, false],
    ['of a file', { origin: 'file://localhost' }, {}, false],
    ['with a path behind a name of ours', { origin: 'http://localhost/x' }, {}, false],
    ['with a user in front of a name of ours', { origin: 'http://a@localhost' }, {}, false],
    ['with a scheme inside', { origin: 'xhttp://localhost' }, {}, false],
  ])('%s', (_what, headers, guard, fine) => {
    expect(foreignPage(headers, guard)).toEqual(
      fine ? undefined : { status: 403, message: 'a page of another site must not send this request' },
    );
  });

  it('is of this machine when nothing else is said', () => {
    expect(foreignPage({ origin: 'http://localhost' })).toBeUndefined();
    expect(foreignPage({ origin: 'https://console.example' })?.status).toBe(403);
  });
});

it.each([
  [undefined, []],
  ['', []],
  [' A.example, ,b.example ,', ['a.example', 'b.example']],
])('names in %j are %j', (text, names) => {
  expect(hostNames(text)).toEqual(names);
});
