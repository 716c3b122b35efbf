/** What every function has in common. Applies to functions declared later, so this module is imported first. */
import { sizes } from './stage.ts';

$transform(sst.aws.Function, (args) => {
  args.runtime ??= 'nodejs24.x';
  args.architecture ??= 'arm64';
  args.logging ??= { format: 'json', retention: sizes.logRetention };
  args.url ??= false;
});
