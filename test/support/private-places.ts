/**
 * Places that nothing which a user names may lead to, in the spellings that parsers, resolvers and stacks are known to take for them:
 * one list for every door (test/contract/private-places.test.ts). Sources: RFC 1918, 3056, 3927, 4193, 4291, 4380, 5735, 6052, 6598, 6890,
 * 8215; the WHATWG URL standard's host parser; the metadata addresses of clouds.
 */

/** Addresses, as a resolver answers them. */
export const PRIVATE_ADDRESSES: readonly string[] = [
  // Version 4: this network, private, shared, loopback, link-local and metadata, protocol, documentation, relay, benchmarks, multicast, reserved.
  ...[
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '10.255.255.255',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
  ],
  ...['169.254.1.1', '169.254.169.254', '169.254.170.2', '172.16.0.1', '172.31.255.255', '192.0.0.192', '192.0.2.1'],
  ...[
    '192.88.99.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
  ],
  // Version 6: none, loopback, link-local, site-local, unique-local with metadata, multicast, discard, documentation, nobody's.
  ...[
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '100::1',
    '100:0:0:1::1',
  ],
  ...['2001:db8::1', '4000::1', '8000::1'],
  // Version 4 within version 6: mapped, compatible, translated, NAT64 (well known, local, any), 6to4, Teredo.
  ...['::ffff:10.0.0.1', '::ffff:7f00:1', '::ffff:a9fe:a9fe', '::7f00:1', '::a9fe:a9fe', '::ffff:0:7f00:1'],
  ...[
    '64:ff9b::7f00:1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::a00:1',
    '64:ff9b:2::a00:1',
    '2002:7f00:1::1',
    '2002:a9fe:a9fe::1',
  ],
  ...['2001:0:a00:1::1', 'no address'],
];

/** `{host}` of URLs, as it is written there. */
export const PRIVATE_HOSTS: readonly string[] = [
  ...PRIVATE_ADDRESSES.map((address) => (address.includes(':') ? `[${address}]` : address)),
  // Numbers that the host parser of URLs makes addresses of: decimal, hexadecimal, octal, mixed, short, padded, too large.
  ...['2130706433', '2852039166', '0x7f000001', '0X7F000001', '017700000001', '0x7f.0.0.1', '0x7f.0x0.0x0.0x1'],
  ...['0177.0.0.1', '0177.0.0.01', '127.1', '127.0.1', '127.0.0.0x1', '0', '0x0', '10.1', '192.168.257', '0xa9fea9fe'],
  ...['169.254.43518', '0251.0376.0251.0376', '00127.0.0.1', '4294967296', '127.0.0.1.', '2130706433.', '0x7f.1.'],
  // Characters that mapping makes digits, dots and letters of, or that are coded.
  ...[
    '①②⑦.⓪.⓪.①',
    '１２７.０.０.１',
    '127。0。0。1',
    '127．0．0．1',
    '127.0.0.%31',
    '%31%32%37.0.0.1',
    '⑯⑨.②⑤④.⑯⑨.②⑤④',
  ],
  // Another authority in front, or what looks like its end.
  ...['example.org@127.0.0.1', 'example.org:80@127.0.0.1', 'example.org%2f@127.0.0.1', 'example.org\\@127.0.0.1'],
  ...[
    'a:b@[::1]',
    '127.0.0.1\t',
    '127.0.\n0.1',
    '127.0.0.1#@example.org',
    '127.0.0.1?@example.org',
    '127.0.0.1\\@example.org',
  ],
  // Long and mapped forms of version 6.
  ...['[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::127.0.0.1]', '[::ffff:127.0.0.1]'],
  ...['[::FFFF:7F00:1]', '[0:0:0:0:0:ffff:a9fe:a9fe]', '[::ffff:169.254.169.254]', '[::1%25lo]', '[fd00:ec2:0::254]'],
];

/** Names that no list knows: what they resolve to counts. */
export const PRIVATE_NAMES: readonly string[] = ['localhost', 'LOCALHOST', 'localhost.', 'ip6-localhost'];

export const privateUrls = (path = 'x'): string[] => PRIVATE_HOSTS.map((host) => `http://${host}/${path}`);
