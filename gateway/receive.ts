import type { IncomingMessage } from 'node:http';
import type { BufferBudget } from '../bytes/buffer-budget.ts';
import { locationUrl } from '../bytes/keys.ts';
import { type ByteWriter, plainWriter, type WriterOptions } from '../bytes/plain-writer.ts';
import { sparseWriter } from '../bytes/sparse-writer.ts';
import { openStored } from '../bytes/stored-image.ts';
import { InvalidInput, LimitExceeded } from '../core/errors.ts';
import type { Received, Upload } from '../core/images/upload.ts';
import { isToBeConverted } from '../core/imports/conversion.ts';
import { checkOf } from '../core/signatures/expected.ts';
import { NOT_OF_THESE_BYTES, refusedSignature, SignatureRefused } from '../core/signatures/refused.ts';
import { createDigester } from '../formats/node/digest/digest.ts';
import type { GatewayDeps } from './deps.ts';
import { inspectUpload } from './inspect-upload.ts';
import { type Pace, pump } from './pump.ts';

export interface ReceiveOptions {
  readonly budget: BufferBudget;
  readonly signal: AbortSignal;
  /** Called before each write to the place; throws when the image is no longer ours. */
  readonly guard: () => Promise<void>;
  readonly stallMs: number;
  readonly pace: Pace;
  /** Milliseconds to wait for memory to begin with. */
  readonly waitMs: number;
  /** Whose part of the memory it takes. */
  readonly project: string;
}

/**
 * Takes the body of an upload into its place: one copy into shared buffers, from which threads hash and connections store at once.
 * PUT file then looks at what was stored, and at its signature, before the record says so. Staged bytes that the import will convert are not hashed.
 * @throws InvalidInput (size, signature), LimitExceeded, UnsupportedMedia, ClientGone, BackendUnavailable, Busy, TooSlow, what `guard` throws
 */
export async function receive(
  deps: GatewayDeps,
  upload: Upload,
  request: IncomingMessage,
  options: ReceiveOptions,
): Promise<Received> {
  const algorithm = deps.config.hashing_algorithm;
  const isHashed = upload.kind === 'file' || !isToBeConverted(deps.config, upload.image);
  const share = options.budget.share(options.project, options);
  const check = upload.signature === undefined ? undefined : checkOf(upload.signature);
  const digester = createDigester(isHashed ? ['md5', algorithm] : [], check);
  let writer: ByteWriter | undefined;
  try {
    writer = writerFor(deps, upload, { ...options, budget: share, tap: (bytes) => digester.update(bytes) });
    await pump(request, limited(upload, writer), { ...options, isInTheWay: share.isInTheWay });
    checkSize(upload, writer.total);
    const written = await writer.finish();
    const [digests, virtualSize] = await Promise.all([
      digester.digest(),
      upload.kind === 'file' ? inspectStored(deps, upload, written, options.signal) : null,
    ]);
    if (check !== undefined && digests['signature'] !== 'valid')
      throw new SignatureRefused(refusedSignature(upload.image.id, NOT_OF_THESE_BYTES));
    const { size, storedBytes } = written;
    return {
      size,
      storedBytes,
      virtualSize,
      url: locationUrl(deps.places.of(upload.place), upload.prefix, upload.layout),
      ...digestsOf(digests, algorithm),
    };
  } catch (error) {
    await writer?.abort();
    digester.close();
    throw error;
  } finally {
    share.close();
  }
}

/** Nothing of a stream that was not hashed. */
function digestsOf(digests: Readonly<Record<string, string>>, algo: string): Pick<Received, 'md5' | 'hash'> {
  const { md5, [algo]: value } = digests;
  return md5 === undefined || value === undefined ? {} : { md5, hash: { algo, value } };
}

function writerFor(deps: GatewayDeps, upload: Upload, options: WriterOptions): ByteWriter {
  const place = deps.places.of(upload.place);
  if (upload.layout === 'sparse') return sparseWriter(place, upload.prefix, options);
  return plainWriter(place, upload.prefix, { ...options, totalBytes: upload.declaredSize });
}

/** Refuses the chunk that passes a limit, so that nothing beyond it is stored. */
function limited({ limitBytes, declaredSize }: Upload, writer: ByteWriter) {
  const most = Math.min(limitBytes, declaredSize ?? Number.MAX_SAFE_INTEGER);
  return (chunk: Buffer): Promise<void> | undefined => {
    if (writer.total + chunk.length <= most) return writer.write(chunk);
    if (most === limitBytes) throw new LimitExceeded(`The image is larger than the ${limitBytes} bytes it may have`);
    throw new InvalidInput(`The image is larger than the ${declaredSize} bytes declared`);
  };
}

function checkSize({ declaredSize }: Upload, received: number): void {
  if (declaredSize !== undefined && received !== declaredSize) {
    throw new InvalidInput(`${received} bytes were received, ${declaredSize} were declared`);
  }
}

async function inspectStored(
  deps: GatewayDeps,
  upload: Upload,
  written: { readonly size: number; readonly etag?: string },
  signal: AbortSignal,
): Promise<number | null> {
  const { place, prefix, layout, image } = upload;
  const { size, etag } = written;
  const stored = { place, prefix, layout, size, ...(etag === undefined ? {} : { etag }) };
  return inspectUpload(deps, image, await openStored(deps.places, stored, { signal }), signal);
}
