import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../../../core/config.ts';
import { isPrivateAddress, uriRefusal } from '../../../../core/imports/uri-filter.ts';

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
    '0.0.0.0',
    '127.0.0.1',
    '10.0.0.1',
    '100.64.0.1',
    '169.254.1.1',
    '192.168.1.1',
    '224.0.0.1',
    '::1',
    'fe80::1',
    'fc00::1',
    '::ffff:10.0.0.1',
    'no address',
  ])('counts %s as private', (address) => {
    expect(isPrivateAddress(address)).toBe(true);
  });
});
