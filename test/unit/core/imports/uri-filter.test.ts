import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../core/config.ts';
import { isPrivateAddress, uriRefusal } from '../../../../core/imports/uri-filter.ts';
import { shownUri } from '../../../../core/shown-url.ts';
import { PRIVATE_ADDRESSES, privateUrls } from '../../../support/private-places.ts';

const stores = [{ id: 'a', bucket: 'bucket-a' }];
const options = (overrides: object = {}) =>
  parseConfig({ stores, import_filtering_opts: overrides }).import_filtering_opts;

describe('URI filter', () => {
  it.each([
    'http://example.org/image.qcow2',
    'https://example.org',
    'http://example.org:80/x',
    'https://example.org:443/x',
    'http://93.184.216.34/x',
    'http://[2606:2800:220:1::1]/x',
    'http://user@example.org/x',
  ])('lets %s pass by default', (uri) => {
    expect(uriRefusal(uri, options())).toBeUndefined();
  });

  it.each([
    ['', 'no absolute URL'],
    ['image.qcow2', 'no absolute URL'],
    ['http://', 'no absolute URL'],
    ['file:///etc/passwd', 'no absolute URL'],
    ['ftp://example.org/x', 'scheme ftp'],
    ['http://example.org:8080/x', 'port 8080'],
    ['http://2130706433/x', 'no plain host name'],
    ['http://0x7f000001/x', 'no plain host name'],
    ['http://0177.0.0.1/x', 'no plain host name'],
    ['http://127.1/x', 'no plain host name'],
    ['http://127.0.0.1/x', 'not a public address'],
    ['http://169.254.169.254/latest/meta-data', 'not a public address'],
    ['http://10.1.2.3/', 'not a public address'],
    ['http://[::1]/', 'not a public address'],
    ['http://[::ffff:127.0.0.1]/', 'no plain host name'],
    ['http://[::7f00:1]/', 'not a public address'],
    ['http://[fe80::1%25eth0]/', 'no absolute URL'],
    ['http://[64:ff9b::a9fe:a9fe]/', 'not a public address'],
    ['http://example.org%2f@127.0.0.1/', 'not a public address'],
  ])('refuses %s: %s', (uri, reason) => {
    expect(uriRefusal(uri, options())).toContain(reason);
  });

  it('looks at the allow list only, when there is one', () => {
    const both = options({ allowed_hosts: ['good.org'], disallowed_hosts: ['good.org'] });

    expect(uriRefusal('http://good.org/', both)).toBeUndefined();
    expect(uriRefusal('http://other.org/', both)).toContain('host other.org');
  });

  it('refuses what the deny list names when there is no allow list', () => {
    const deny = options({ disallowed_hosts: ['bad.org'], allowed_ports: [], disallowed_ports: [22] });

    expect(uriRefusal('http://BAD.org/', deny)).toContain('host bad.org');
    expect(uriRefusal('http://good.org:22/', deny)).toContain('port 22');
    expect(uriRefusal('http://good.org:2222/', deny)).toBeUndefined();
  });

  it.each([
    ['bad.org', 'http://bad.org./x'],
    ['Bad.ORG.', 'http://bad.org/x'],
    ['[2606:2800:220:1::1]', 'http://[2606:2800:220:1::1]/x'],
    ['2606:2800:0220:0001:0:0:0:1', 'http://[2606:2800:220:1::1]/x'],
  ])('knows the host %s of a list in every spelling: %s', (listed, uri) => {
    expect(uriRefusal(uri, options({ disallowed_hosts: [listed] }))).toContain('is not allowed');
    expect(uriRefusal(uri, options({ allowed_hosts: [listed] }))).toBeUndefined();
  });

  it('knows schemes of a list in every case, and the port that a scheme stands for', () => {
    expect(uriRefusal('http://a.org/', options({ allowed_schemes: ['HTTP'] }))).toBeUndefined();
    for (const uri of ['http://a.org/', 'http://a.org:80/'])
      expect(uriRefusal(uri, options({ allowed_ports: [], disallowed_ports: [80] }))).toContain('port 80');
    expect(uriRefusal('http://a.org/', options({ allowed_ports: [443] }))).toContain('port 80');
    expect(uriRefusal('https://a.org/', options({ allowed_ports: [443] }))).toBeUndefined();
  });

  it.each([
    'http://user:s3cret@a.org:8080/x',
    'ftp://user:s3cret@a.org/x',
    'http://a.org:8080/x?X-Amz-Signature=s3cret',
    'http://a.org:8080/x#s3cret',
    'http://user:s3cret/w@a.org/x',
    'user:s3cret@a.org',
  ])('says nothing of what may be a secret in %s', (uri) => {
    expect(uriRefusal(uri, options())).toContain('does not pass filtering');
    expect(uriRefusal(uri, options())).not.toContain('s3cret');
    expect(shownUri(uri)).not.toContain('s3cret');
  });
});

describe('private places, in every spelling', () => {
  it.each(PRIVATE_ADDRESSES)('counts %s as private', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });

  it.each(privateUrls())('refuses %j, whatever its scheme', (uri) => {
    expect(uriRefusal(uri, options())).toContain('does not pass filtering');
    expect(uriRefusal(uri.replace('http', 'https'), options())).toContain('does not pass filtering');
  });
});
