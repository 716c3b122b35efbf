/** Certificates and signatures with a few bytes changed: each ends in a verdict, none in another error. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { certificateIn, keyRefusal } from '../../../../core/signatures/certificate.ts';
import { checkOf } from '../../../../core/signatures/expected.ts';
import { distrust } from '../../../../core/signatures/trust.ts';
import { certificatesOf } from '../../../../core/signatures/trusted-certificates.ts';
import { Random } from '../../../fuzz/mutate.ts';

const file = (name: string): Buffer => readFileSync(new URL(`../../../fixtures/signatures/${name}`, import.meta.url));
const ROOTS = certificatesOf([`${file('root.pem')}`, `${file('middle.pem')}`]);
const MUTANTS = 3_000;
const SEEDS = ['rsa.der', 'rsa.pem', 'dsa.pem', 'p384.pem', 'chained.pem'];

it.each(SEEDS)('%s', (name) => {
  const seed = file(name);
  const random = new Random(1);
  let read = 0;
  for (let n = 0; n < MUTANTS; n++) {
    const bytes = Buffer.from(seed.subarray(0, random.below(8) === 0 ? random.below(seed.length) : seed.length));
    for (let edits = 1 + random.below(4); edits > 0 && bytes.length > 0; edits--)
      bytes[random.below(bytes.length)] = random.below(256);
    const certificate = certificateIn(bytes);
    if (certificate === undefined) continue;
    read += 1;
    expect(distrust(certificate, ROOTS, Date.UTC(2026, 6))).toSatisfy(
      (doubt) => doubt === undefined || typeof doubt === 'string',
    );
    for (const keyClass of ['RSA', 'DSA', 'EC'] as const) {
      if (keyRefusal(certificate, keyClass, 256) !== undefined) continue;
      const check = { hash: 'sha256', keyClass, signature: 'AAAA', certificateId: name } as const;
      const found = { isTrusted: false, isRequired: false };
      expect(
        checkOf({ ...check, ...found, certificate: certificate.raw.toString('base64') }).key.length,
      ).toBeGreaterThan(0);
    }
  }
  expect(read).toBeGreaterThan(MUTANTS / 50);
});
