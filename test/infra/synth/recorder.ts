/** Listens to the mock engine's registrations: mocks themselves see neither parents nor options nor secrets. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Recorded } from './graph-types.ts';

interface Struct {
  toJavaScript(): Record<string, unknown>;
}
interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getProvider(): string;
  getDependenciesList(): string[];
  getProtect?(): boolean;
  getRetainondelete?(): boolean;
  getObject?(): Struct | undefined;
  getProperties?(): Struct | undefined;
}
interface Response {
  getUrn(): string;
  getId?(): string;
  getObject?(): Struct | undefined;
  getProperties?(): Struct | undefined;
}
type Callback = (error: unknown, response: Response) => void;
type Register = (this: unknown, request: Request, callback: Callback) => unknown;

export interface Recorder {
  resources(): Recorded[];
  /** Region of a provider reference (`urn::id`), or the default one. */
  regionOf(provider: string | undefined): string;
}

const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';

/** Wraps the mock monitor of the platform's Pulumi. */
export function recordInto(platform: string, defaultRegion: string): Recorder {
  const fromPlatform = createRequire(join(platform, 'package.json'));
  const { MockMonitor } = fromPlatform('@pulumi/pulumi/runtime/mocks') as {
    MockMonitor: { prototype: Record<string, Register> };
  };
  const recorded: Recorded[] = [];
  const regions = new Map<string, string>();
  const regionOf = (provider: string | undefined): string =>
    regions.get((provider ?? '').replace(/::[^:]*$/, '')) ?? defaultRegion;
  for (const method of ['registerResource', 'readResource']) {
    const original = MockMonitor.prototype[method];
    if (original === undefined) throw new Error(`Pulumi's MockMonitor has no ${method}: adapt test/infra/synth`);
    MockMonitor.prototype[method] = function (request, callback) {
      return original.call(this, request, (error, response) => {
        if (!error) recorded.push(record(request, response, regionOf, regions));
        callback(error, response);
      });
    };
  }
  return {
    regionOf,
    resources: () => recorded.toSorted((a, b) => (a.urn < b.urn ? -1 : 1)),
  };
}

function record(
  request: Request,
  response: Response,
  regionOf: (provider: string) => string,
  regions: Map<string, string>,
): Recorded {
  const secrets: string[] = [];
  const inputs = unwrap((request.getObject ?? request.getProperties)?.call(request)?.toJavaScript() ?? {}, '', secrets);
  const state = unwrap((response.getObject ?? response.getProperties)?.call(response)?.toJavaScript() ?? {}, '', []);
  const urn = response.getUrn?.() || `${request.getType()}::${request.getName()}`;
  if (request.getType() === 'pulumi:providers:aws')
    regions.set(urn, String((inputs as Record<string, unknown>)['region']));
  return {
    urn,
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent(),
    region: regionOf(request.getProvider()),
    dependencies: request.getDependenciesList(),
    protect: request.getProtect?.() === true,
    retainOnDelete: request.getRetainondelete?.() === true,
    inputs: inputs as Record<string, unknown>,
    state: state as Record<string, unknown>,
    id: response.getId?.() ?? '',
    secrets,
  };
}

/** Takes secrets out of their wrapping and remembers where they were. */
function unwrap(value: unknown, path: string, secrets: string[]): unknown {
  if (Array.isArray(value)) return value.map((item, at) => unwrap(item, `${path}[${at}]`, secrets));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as Record<string, unknown>;
  if (object[SIGNATURE] === SECRET) {
    secrets.push(path);
    return unwrap(object['value'], path, secrets);
  }
  return Object.fromEntries(
    Object.entries(object).map(([key, item]) => [key, unwrap(item, path === '' ? key : `${path}.${key}`, secrets)]),
  );
}
