import type { Config } from '../config.ts';

/** What Keystone's unified limits count of a project; sizes in MiB (contract: quotas-and-limits.md section 2). */
export const LIMITED_RESOURCES = [
  'image_size_total',
  'image_stage_total',
  'image_count_total',
  'image_count_uploading',
] as const satisfies readonly (keyof Config['registered_limits'])[];
export type LimitedResource = (typeof LIMITED_RESOURCES)[number];

/** A negative one is no limit. */
export type ProjectLimits = Readonly<Record<LimitedResource, number>>;

/** Limits while `use_keystone_limits` is on. */
export interface LimitsPort {
  /**
   * @param project null: what holds for projects without limits of their own
   * @returns undefined where nobody may be asked: functions that read images hold no password of the limits service
   * @throws BackendUnavailable; ConfigError when the limits service is not set up for us
   */
  of(project: string | null): Promise<ProjectLimits | undefined>;
}

/** The same for every project, from the configuration. */
export const configuredLimits = ({ registered_limits }: Pick<Config, 'registered_limits'>): LimitsPort => ({
  of: async () => registered_limits,
});

/** Of a verb that keeps limits. */
export interface WithLimits {
  readonly limits: LimitsPort;
}
