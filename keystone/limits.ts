import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { type Config, ConfigError } from '../core/config.ts';
import { LIMITED_RESOURCES, type LimitsPort, type ProjectLimits } from '../core/quota/limited-resources.ts';
import { bodyOf, type KeystoneConnection } from './connection.ts';
import { remember } from './remember.ts';

/** A limit that is changed in Keystone counts here after this time at the latest. */
const REMEMBERED_MS = 10_000;

const region_id = z.string().nullable().default(null);
const EndpointView = z.object({ endpoint: z.object({ service_id: z.string(), region_id }) });
const RegisteredView = z.object({
  registered_limits: z.array(z.object({ resource_name: z.string(), region_id, default_limit: z.int() })),
});
const OverridesView = z.object({
  limits: z.array(z.object({ resource_name: z.string(), region_id, resource_limit: z.int() })),
});

interface Limit {
  readonly resource: string;
  readonly region: string | null;
  readonly limit: number;
}

/**
 * Keystone's unified limits (contract: quotas-and-limits.md section 2): the limits registered for service and region of the
 * endpoint `oslo_limit.endpoint_id`, and a project's own over them. One without a region holds in all that have none.
 * @param keystone with a token for the system: to any other Keystone shows no limits of projects, and says so by an empty list
 */
export function createKeystoneLimits(
  keystone: KeystoneConnection,
  { endpoint_id }: Config['oslo_limit'],
  clock: Clock,
): LimitsPort {
  async function ask<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const answer = await keystone.get(path);
    if (answer.status < 400 || answer.status >= 500) return bodyOf(answer, schema, 'a question for limits');
    await answer.body?.cancel();
    throw new ConfigError(
      `oslo_limit.endpoint_id: "${endpoint_id}": the identity service answered ${answer.status} to ${path}`,
    );
  }

  const endpointOf = remember(clock, REMEMBERED_MS, async (id) => {
    const { endpoint } = await ask(`/endpoints/${encodeURIComponent(id)}`, EndpointView);
    return { service: endpoint.service_id, region: endpoint.region_id };
  });

  const registered = remember(clock, REMEMBERED_MS, async (service) => {
    const query = new URLSearchParams({ service_id: service });
    const { registered_limits } = await ask(`/registered_limits?${query}`, RegisteredView);
    return registered_limits.map((one): Limit => limitOf(one, one.default_limit));
  });

  const overrides = remember(clock, REMEMBERED_MS, async (project) => {
    const { service } = await endpointOf(endpoint_id ?? '');
    const query = new URLSearchParams({ service_id: service, project_id: project });
    const { limits } = await ask(`/limits?${query}`, OverridesView);
    return limits.map((one): Limit => limitOf(one, one.resource_limit));
  });

  return {
    async of(project) {
      const { service, region } = await endpointOf(endpoint_id ?? '');
      const [defaults, own] = await Promise.all([registered(service), project === null ? [] : overrides(project)]);
      const inForce = (resource: string) =>
        limitFor(own, resource, region) ?? limitFor(defaults, resource, region) ?? 0;
      return Object.fromEntries(
        LIMITED_RESOURCES.map((resource) => [resource, inForce(resource)]),
      ) as unknown as ProjectLimits;
    },
  };
}

const limitOf = (of: { resource_name: string; region_id: string | null }, limit: number): Limit => ({
  resource: of.resource_name,
  region: of.region_id,
  limit,
});

/** The region's own before the one for all regions. */
function limitFor(limits: readonly Limit[], resource: string, region: string | null): number | undefined {
  const named = limits.filter((one) => one.resource === resource);
  return (named.find((one) => one.region === region) ?? named.find((one) => one.region === null))?.limit;
}
