/** Policy and property protections from the files that the configuration names, followed while they change. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/clock.ts';
import { type Config, ConfigError } from '../core/config.ts';
import { BackendUnavailable } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { RemoteCheck } from '../core/policy/evaluate.ts';
import { createPolicy, type Policy } from '../core/policy/policy.ts';
import { parsePolicyFile } from '../core/policy/policy-file.ts';
import type { PropertyProtections } from '../core/policy/port.ts';
import { parsePropertyProtections } from '../core/policy/property-protections.ts';
import { follow } from './followed-files.ts';

type PolicyConfig = Pick<Config, 'policy_file' | 'policy_dirs' | 'policy_default_rule' | 'enforce_new_defaults'>;

/**
 * The rules of `policy_file` with those of the files in `policy_dirs` over them (contract: policy.md section 1).
 * @throws ConfigError, PolicyError naming the file
 */
export function loadPolicy(config: PolicyConfig, log: Log, clock: Clock): Policy {
  const { policy_file: file, policy_dirs: folders } = config;
  const files = () => [...(file === undefined ? [] : [file]), ...folders.flatMap(filesIn)];
  const paths = [...(file === undefined ? [] : [file]), ...folders];
  if (paths.length === 0) return readPolicy(config, [], log);
  const current = follow({
    paths,
    files,
    read: () => readPolicy(config, files(), log),
    clock,
    log,
  });
  return {
    get unused() {
      return current().unused;
    },
    has: (rule) => current().has(rule),
    allows: (rule, target, caller) => current().allows(rule, target, caller),
  };
}

function readPolicy(config: PolicyConfig, files: readonly string[], log: Log): Policy {
  const { policy_default_rule: defaultRule, enforce_new_defaults: newDefaults } = config;
  const overrides = new Map(files.flatMap((file) => [...parsePolicyFile(read('policy_file', file), file)]));
  const policy = createPolicy({ overrides, defaultRule, newDefaults, remote: askRemote });
  for (const rule of policy.unused) log.warn('a policy file names a rule that nothing asks for', { files, rule });
  return policy;
}

/** The files of a folder in the order of their names, hidden ones left out. @throws ConfigError */
function filesIn(folder: string): string[] {
  const names = attempt('policy_dirs', folder, () => readdirSync(folder));
  return names
    .filter((name) => !name.startsWith('.'))
    .sort()
    .map((name) => join(folder, name));
}

type ProtectionConfig = Pick<Config, 'property_protection_file' | 'property_protection_rule_format'>;

/** Undefined when no file is configured. @throws ConfigError, PolicyError naming the file */
export function loadProtections(
  config: ProtectionConfig,
  policy: Policy,
  log: Log,
  clock: Clock,
): PropertyProtections | undefined {
  const { property_protection_file: file, property_protection_rule_format: format } = config;
  if (file === undefined) return undefined;
  const current = follow({
    paths: [file],
    files: () => [file],
    read: () => parsePropertyProtections(read('property_protection_file', file), format, policy, file),
    clock,
    log,
  });
  return {
    mayCreate: (property, caller) => current().mayCreate(property, caller),
    mayRead: (property, caller) => current().mayRead(property, caller),
    mayUpdate: (property, caller) => current().mayUpdate(property, caller),
    mayDelete: (property, caller) => current().mayDelete(property, caller),
  };
}

const read = (key: string, path: string): string => attempt(key, path, () => readFileSync(path, 'utf8'));

/** @throws ConfigError naming key and path */
function attempt<T>(key: string, path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new ConfigError(`${key}: ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

const REMOTE_TIMEOUT_MS = 5_000;

/** An `http:` or `https:` check: form-encoded POST, the answer `True` grants (contract: policy.md section 1). */
const askRemote: RemoteCheck = async (url, { rule, target, credentials }) => {
  const body = new URLSearchParams({
    rule: JSON.stringify(rule),
    target: JSON.stringify(target),
    credentials: JSON.stringify(credentials),
  });
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(REMOTE_TIMEOUT_MS),
      redirect: 'error',
    });
    return (await response.text()).replace(/^"|"$/g, '') === 'True';
  } catch (error) {
    throw new BackendUnavailable(`The remote policy check for ${rule} could not be asked`, { cause: error });
  }
};
