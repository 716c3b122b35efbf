/**
 * The runtime inside an execution environment: what `/var/runtime` is on Lambda. Loads the handler that `_HANDLER` names below
 * `LAMBDA_TASK_ROOT` and speaks the Runtime API (AWS Lambda developer guide, "Using the Lambda runtime API"). Plain JavaScript with
 * nothing but Node: the memory it takes is the function's.
 */
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { AWS_LAMBDA_RUNTIME_API: api = '', LAMBDA_TASK_ROOT: root = '', _HANDLER: name = '' } = process.env;
const [host, port] = api.split(':');
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** @returns {Promise<{status: number, headers: import('node:http').IncomingHttpHeaders, text: string}>} */
const call = (method, path, body) =>
  new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const req = request({ host, port, method, path: `/2018-06-01/runtime/${path}`, headers, agent }, (res) => {
      const chunks = [];
      res.on('data', (chunk) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () =>
        resolve({ status: res.statusCode, headers: res.headers, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    req.on('error', reject);
    req.end(body);
  });

/** Lambda names an error by its `name`; anything else thrown has the type `string`, `object`, ... */
const described = (error, errorType) =>
  JSON.stringify(
    error instanceof Error
      ? { errorType: errorType ?? error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') }
      : { errorType: errorType ?? typeof error, errorMessage: String(error), trace: [] },
  );

/** The type under which Lambda reports code that cannot be loaded. */
const loadFailure = (error) => {
  if (error?.code === 'ERR_MODULE_NOT_FOUND' || error?.code === 'MODULE_NOT_FOUND') return 'Runtime.ImportModuleError';
  return error instanceof SyntaxError ? 'Runtime.UserCodeSyntaxError' : undefined;
};

async function load() {
  const at = name.lastIndexOf('.');
  const module = await import(pathToFileURL(join(root, `${name.slice(0, at)}.mjs`)).href);
  const handler = module[name.slice(at + 1)];
  if (typeof handler === 'function') return handler;
  throw Object.assign(new Error(`${name} is undefined or not exported`), { name: 'Runtime.HandlerNotFound' });
}

let current;
/** What nobody catches is the answer to the invocation, and the end of the process (exit codes as Lambda's). */
const end = (errorType, code) => async (error) => {
  const path = current === undefined ? 'init/error' : `invocation/${current}/error`;
  await call('POST', path, described(error, errorType)).catch(() => undefined);
  process.exit(code);
};
process.on('uncaughtException', end(undefined, 129));
process.on('unhandledRejection', end('Runtime.UnhandledPromiseRejection', 128));

async function run() {
  const handler = await load().catch(async (error) => {
    await call('POST', 'init/error', described(error, loadFailure(error)));
    process.exit(1);
  });
  for (;;) {
    const { headers, text } = await call('GET', 'invocation/next');
    current = String(headers['lambda-runtime-aws-request-id']);
    process.env['_X_AMZN_TRACE_ID'] = String(headers['lambda-runtime-trace-id']);
    const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
    const context = {
      awsRequestId: current,
      callbackWaitsForEmptyEventLoop: true,
      functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
      functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
      invokedFunctionArn: String(headers['lambda-runtime-invoked-function-arn']),
      memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
      logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
      logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
      getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
    };
    let answer;
    try {
      const result = await handler(JSON.parse(text), context);
      answer = ['response', JSON.stringify(result ?? null)];
    } catch (error) {
      answer = ['error', described(error)];
    }
    await call('POST', `invocation/${current}/${answer[0]}`, answer[1]);
    current = undefined;
  }
}

// Whoever started this process is gone.
run().catch(() => process.exit(1));
