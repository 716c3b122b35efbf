/** Images that Debian's client signs, from its key to the verification of what we give back as Nova and Cinder make it. */
import { execFile, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AS_DEPLOYED, type Glimpse, startGlimpse } from '../support/glimpse.ts';
import { imageClient, type WireImage } from '../support/image-client.ts';
import { aSigner, asPem } from '../support/signer.ts';

const run = promisify(execFile);
const CONTENT = Buffer.from('what is signed '.repeat(100_000));
const SIGNER = aSigner();
const VERIFY = join(import.meta.dirname, 'support/verify-as-nova.py');
/** The client asks for the passphrase of the key, and a terminal for it. */
const TERMINAL = join(import.meta.dirname, 'support/at-a-terminal.py');
const hasCursive = spawnSync('/usr/bin/python3', ['-c', 'import cursive']).status === 0;
if (!hasCursive) process.stderr.write('not verified as Nova does: python3-cursive is not installed\n');

let glimpse: Glimpse;
let dir: string;
let barbican: Server | undefined;

/** A Barbican with the one certificate, for a stage: its functions have no folder. */
async function startBarbican(): Promise<string> {
  const path = `/v1/secrets/${SIGNER.certificateId}`;
  const metadata = { secret_type: 'certificate', content_types: { default: 'application/pkix-cert' } };
  barbican = createServer(({ url }, response) => {
    if (url === path) response.end(JSON.stringify(metadata));
    else if (url === `${path}/payload`) response.end(SIGNER.certificate);
    else response.writeHead(404).end();
  });
  await once(barbican.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(barbican.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'glimpse-signed-'));
  await writeFile(join(dir, 'image'), CONTENT);
  await writeFile(join(dir, 'certificate.pem'), asPem(SIGNER.certificate));
  await writeFile(join(dir, 'key.pem'), SIGNER.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const { privateKey: other } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(join(dir, 'other.pem'), other.export({ type: 'pkcs8', format: 'pem' }));
  // Converts what is not signed, as npm start does by itself.
  if (AS_DEPLOYED) {
    const signed_images = { key_manager: 'barbican', barbican_endpoint: await startBarbican() };
    glimpse = await startGlimpse({ config: { signed_images } });
    return;
  }
  glimpse = await startGlimpse();
  await writeFile(join(glimpse.dataDir, 'certificates', `${SIGNER.certificateId}.pem`), asPem(SIGNER.certificate));
});
afterAll(async () => {
  await glimpse?.stop();
  barbican?.close();
  await rm(dir, { recursive: true, force: true });
});

const createSigned = (name: string, key = 'key.pem', certificate = SIGNER.certificateId): Promise<string> =>
  glimpse.client('demo', '/usr/bin/python3', [
    ...[TERMINAL, 'openstack', 'image', 'create', '--disk-format', 'raw', '--file', join(dir, 'image')],
    ...['--sign-key-path', join(dir, key), '--sign-cert-id', certificate, name],
  ]);

async function named(name: string): Promise<WireImage | undefined> {
  const answer = await glimpse.api('demo', 'GET', `/v2/images?name=${name}`);
  return ((await answer.json()) as { images: WireImage[] }).images[0];
}

async function verifiedAsNova(image: WireImage): Promise<string> {
  const path = join(dir, image.id);
  await glimpse.client('demo', 'openstack', ['image', 'save', '--file', path, image.id]);
  const child = run('/usr/bin/python3', [VERIFY, path, join(dir, 'certificate.pem')]);
  child.child.stdin?.end(JSON.stringify(image));
  return (await child).stdout.trim();
}

describe('openstack image create --sign-key-path', () => {
  it('makes an image that is verified, and that anybody can verify again', async () => {
    await createSigned('signed');

    const image = await named('signed');
    if (image === undefined) throw new Error('there is no image');
    expect(image).toMatchObject({
      status: 'active',
      os_glance_signature: 'verified',
      img_signature: expect.stringMatching(/^[A-Za-z0-9+/]{342}==$/),
      img_signature_certificate_uuid: SIGNER.certificateId,
    });
    if (hasCursive) expect(await verifiedAsNova(image)).toBe('verified');
  });

  it.each([
    ['another key', 'other.pem', SIGNER.certificateId, 'the signature is not that of these bytes'],
    ['a certificate that is nowhere', 'key.pem', '00000000-1111-4222-8333-444455556666', 'cannot be retrieved'],
    ['what is no uuid', 'key.pem', 'my-certificate', 'is no UUID'],
  ])('with %s fails with the cause, and nothing is active', async (name, key, certificate, cause) => {
    const label = `bad-${key}-${certificate}`;
    await expect(createSigned(label, key, certificate), name).rejects.toThrow(
      new RegExp(`Signature verification failed for image[\\s\\S]*${cause.replaceAll(' ', String.raw`\s+`)}`),
    );

    // openstacksdk removes what it could not upload.
    expect((await named(label))?.status ?? 'gone').not.toBe('active');
  });
});

describe('an import', () => {
  it('of a signed image verifies it and leaves its bytes alone', async () => {
    const images = imageClient(glimpse, 'demo');
    const { image, task } = await images.importFile(join(dir, 'image'), {
      disk_format: 'raw',
      ...SIGNER.properties(CONTENT),
    });

    expect(task).toMatchObject({ status: 'success' });
    expect(image).toMatchObject({ status: 'active', size: CONTENT.length, os_glance_signature: 'verified' });
    if (hasCursive) expect(await verifiedAsNova(image)).toBe('verified');
  });

  it('of other bytes than were signed fails with the cause, and keeps nothing', async () => {
    const images = imageClient(glimpse, 'demo');
    const { image, task } = await images.importFile(join(dir, 'image'), {
      disk_format: 'raw',
      ...SIGNER.properties(CONTENT.subarray(1)),
    });

    expect(task).toMatchObject({
      status: 'failure',
      message: expect.stringContaining('Signature verification failed'),
    });
    expect(image).toMatchObject({ status: 'queued', size: null, checksum: null });
    expect(image['os_glance_signature']).toBeUndefined();
  });
});
