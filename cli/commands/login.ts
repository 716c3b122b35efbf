import { EXIT } from '../exit.ts';
import { writeJson, writeLine } from '../output.ts';
import type { Register } from './register.ts';
import { onService, type ServiceOptions, serviceOf } from './service.ts';

/** `glimpse login`: exit 0 when the service took who asks, 2 when it is not said who, 1 otherwise. */
export const loginCommand: Register = (program, done) => {
  onService(
    program
      .command('login')
      .description('log in by OS_* variables or clouds.yaml, and keep the token for the commands that follow')
      .option('--forget', 'forget the token that is kept'),
    'a JSON object: user, project, endpoint, expires_at',
  ).action(async ({ forget, ...options }: ServiceOptions & { readonly forget?: boolean }) => {
    if (forget === true) {
      const [{ keptTokenFile }, { forgetLogin }] = await Promise.all([
        import('../login/session.ts'),
        import('../login/token-cache.ts'),
      ]);
      forgetLogin(keptTokenFile({ ...process.env, ...(options.osCloud && { OS_CLOUD: options.osCloud }) }));
      return done(EXIT.ok);
    }
    const { login, baseUrl } = await serviceOf(options, { fresh: true });
    const { user, project, expiresAt } = login;
    if (options.json === true) writeJson({ user, project, endpoint: baseUrl, expires_at: expiresAt });
    else writeLine(`${user} in project ${project} at ${baseUrl}, until ${expiresAt}`);
    done(EXIT.ok);
  });
};
