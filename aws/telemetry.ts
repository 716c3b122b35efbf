import type { Tracer } from '@aws-lambda-powertools/tracer';

/**
 * Traces and metrics of a Lambda function, by Powertools. Anywhere else (one machine, a container) nobody takes them: then nothing is
 * loaded, and nothing happens.
 */
export interface Telemetry {
  /** A client of the AWS SDK whose calls become parts of the trace. */
  traced<C>(client: C): C;
  /** Runs one invocation as a segment of its own, with what it throws. */
  invocation<T>(work: () => Promise<T>): Promise<T>;
  /** Writes one value of a metric now; a dimension makes a metric of its own, so its values must be few. */
  measure(metric: Metric, value: number, dimension?: Readonly<Record<string, string>>): void;
}

/** Every metric there is, and its unit. docs/operations/observe.md says what each is good for. */
export const METRICS = {
  ImportsSucceeded: 'Count',
  ImportsFailed: 'Count',
  ImportedBytes: 'Bytes',
  ImportSeconds: 'Seconds',
} as const;
export type Metric = keyof typeof METRICS;

const NONE: Telemetry = {
  traced: (client) => client,
  invocation: (work) => work(),
  measure: () => undefined,
};

let opened: Promise<Telemetry> | undefined;

/** That of this process. Namespace and service come by Powertools' own variables, which the deployment sets. */
export function telemetry(): Promise<Telemetry> {
  opened ??= process.env['AWS_LAMBDA_FUNCTION_NAME'] === undefined ? Promise.resolve(NONE) : open();
  return opened;
}

/** Wraps the handler of a function, once, where it is exported. */
export function observed<E extends unknown[], R>(handler: (...event: E) => Promise<R>): (...event: E) => Promise<R> {
  return async (...event) => (await telemetry()).invocation(() => handler(...event));
}

async function open(): Promise<Telemetry> {
  const [{ Tracer }, { Metrics }] = await Promise.all([
    import('@aws-lambda-powertools/tracer'),
    import('@aws-lambda-powertools/metrics'),
  ]);
  // Requests of S3 are thousands in one step: only clients that are named are traced.
  const tracer = new Tracer({ captureHTTPsRequests: false });
  const metrics = new Metrics();
  return {
    traced: (client) => tracer.captureAWSv3Client(client),
    invocation: (work) => inSegment(tracer, work),
    measure(metric, value, dimension = {}) {
      const single = metrics.singleMetric();
      for (const [name, text] of Object.entries(dimension)) single.addDimension(name, text);
      single.addMetric(metric, METRICS[metric], value);
    },
  };
}

/** Lambda's own segment cannot be written to, so what happens here hangs below one more. */
async function inSegment<T>(tracer: Tracer, work: () => Promise<T>): Promise<T> {
  const parent = tracer.getSegment();
  if (parent === undefined) return work();
  const segment = parent.addNewSubsegment('## handler');
  tracer.setSegment(segment);
  tracer.annotateColdStart();
  tracer.addServiceNameAnnotation();
  try {
    return await work();
  } catch (error) {
    tracer.addErrorAsMetadata(error instanceof Error ? error : new Error(String(error)));
    throw error;
  } finally {
    segment.close();
    tracer.setSegment(parent);
  }
}
