/** The whole embedded AWS in this process: for tests, where one process is fine. `npm start` uses processes.ts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Control, type ControlOptions, openControl } from './control.ts';
import { front, listen } from './front.ts';
import { Iam } from './iam/iam.ts';
import { createS3 } from './s3/server.ts';
import { s3BusEvent } from './s3-events.ts';

/** Settings; without `dataDir` nothing outlives `close`. */
export interface EmbeddedOptions extends ControlOptions {
  /** Default 0: any free port. */
  port?: number;
}

/** A running embedded AWS. */
export interface EmbeddedAws {
  /** For `AWS_ENDPOINT_URL`: `http://127.0.0.1:{port}`. */
  readonly endpoint: string;
  readonly control: Control;
  close(): Promise<void>;
}

/** Starts every service on one port of 127.0.0.1. Throws one clear error for a busy port or data in use. */
export async function startEmbeddedAws(options: EmbeddedOptions = {}): Promise<EmbeddedAws> {
  const temporary = options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'embedded-s3-')) : undefined;
  const s3Dir = join(options.dataDir ?? temporary ?? '', 's3');
  const control = await openControl(options);
  const { s3: strict, iam } = options.strict ?? {};
  const s3 = createS3({
    dataDir: s3Dir,
    onEvent: (event) => control.deliver(s3BusEvent(event)),
    iam: iam === undefined ? undefined : new Iam(iam),
    strict,
  });
  const closeServices = async () => {
    await s3.close();
    await control.close();
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  };
  try {
    await s3.ready;
    const handler = front(control.handle, (req, res) => s3.handle(req, res));
    const listener = await listen(handler, options.port ?? 0, { mayCome: (origin, req) => s3.isPartFrom(origin, req) });
    const close = async () => {
      await listener.close();
      await closeServices();
    };
    return { endpoint: `http://127.0.0.1:${listener.port}`, control, close };
  } catch (error) {
    await closeServices();
    throw error;
  }
}
