import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { createDigester } from '../../../../../formats/node/digest/digest.ts';

const shared = (bytes: Buffer): Buffer => {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length));
  bytes.copy(copy);
  return copy;
};

it('hashes many streams at once, from shared and from own memory', async () => {
  const streams = Array.from({ length: 7 }, () => [randomBytes(100_000), randomBytes(1), randomBytes(70_000)]);

  const got = await Promise.all(
    streams.map(async (chunks, n) => {
      const digester = createDigester(['md5', 'sha512', 'md5']);
      await Promise.all(chunks.map((chunk) => digester.update(n % 2 === 0 ? shared(chunk) : chunk)));
      return digester.digest();
    }),
  );

  const hash = (algorithm: string, chunks: Buffer[]) =>
    createHash(algorithm).update(Buffer.concat(chunks)).digest('hex');
  expect(got).toEqual(streams.map((chunks) => ({ md5: hash('md5', chunks), sha512: hash('sha512', chunks) })));
});

it('hashes zeros by their number, in their place', async () => {
  const digester = createDigester(['md5', 'sha512']);
  await Promise.all([digester.update(Buffer.from('a')), digester.zeros(700_001), digester.update(Buffer.from('b'))]);

  const bytes = Buffer.concat([Buffer.from('a'), Buffer.alloc(700_001), Buffer.from('b')]);
  expect(await digester.digest()).toEqual({
    md5: createHash('md5').update(bytes).digest('hex'),
    sha512: createHash('sha512').update(bytes).digest('hex'),
  });
});

it('hashes nothing, and forgets a stream that is closed', async () => {
  const closed = createDigester(['md5']);
  await closed.update(Buffer.from('x'));
  closed.close();
  closed.close();

  expect(await createDigester(['md5']).digest()).toEqual({ md5: 'd41d8cd98f00b204e9800998ecf8427e' });
});
