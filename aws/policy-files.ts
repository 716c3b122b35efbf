/** Policy and property protections from the files that the configuration names, read once at start. */
import { readFileSync } from 'node:fs';
import { type Config, ConfigError } from '../core/config.ts';
import { BackendUnavailable } from '../core/errors.ts';
import type { RemoteCheck } from '../core/policy/evaluate.ts';
import { createPolicy, type Policy } from '../core/policy/policy.ts';
import { parsePolicyFile } from '../core/policy/policy-file.ts';
import { parsePropertyProtections } from '../core/policy/property-protections.ts';
import type { Log, PropertyProtections } from '../core/ports.ts';

type PolicyConfig = Pick<Config, 'policy_file' | 'policy_default_rule' | 'enforce_new_defaults'>;

/** @throws ConfigError, PolicyError naming the file */
export function loadPolicy(config: PolicyConfig, log: Log): Policy {
  const { policy_file: file, policy_default_rule: defaultRule, enforce_new_defaults: newDefaults } = config;
  const overrides = file === undefined ? {} : { overrides: parsePolicyFile(read('policy_file', file), file) };
  const policy = createPolicy({ ...overrides, defaultRule, newDefaults, remote: askRemote });
  for (const rule of policy.unused) log.warn('policy_file names a rule that nothing asks for', { file, rule });
  return policy;
}

type ProtectionConfig = Pick<Config, 'property_protection_file' | 'property_protection_rule_format'>;

/** Undefined when no file is configured. @throws ConfigError, PolicyError naming the file */
export function loadProtections(config: ProtectionConfig, policy: Policy): PropertyProtections | undefined {
  const { property_protection_file: file, property_protection_rule_format: format } = config;
  return file === undefined
    ? undefined
    : parsePropertyProtections(read('property_protection_file', file), format, policy, file);
}

function read(key: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
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
