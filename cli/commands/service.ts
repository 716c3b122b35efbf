/** What commands that talk to a service share. */
import type { Command } from 'commander';
import type { Session } from '../login/session.ts';

export interface ServiceOptions {
  readonly osCloud?: string;
  readonly json?: boolean;
}

/** Adds the options that all of them have. @param json what `--json` prints */
export function onService(command: Command, json = 'one JSON object per line'): Command {
  return command
    .option('--os-cloud <name>', 'cloud of clouds.yaml to use (default: OS_CLOUD, else the OS_* variables)')
    .option('--json', json);
}

/** Logs in, as the options and the environment say; the schemas of the API are loaded now, and by no other command. */
export async function serviceOf({ osCloud }: ServiceOptions, options?: { readonly fresh: boolean }): Promise<Session> {
  const env = osCloud === undefined ? process.env : { ...process.env, OS_CLOUD: osCloud };
  const { openService } = await import('../login/session.ts');
  return openService(env, options);
}
