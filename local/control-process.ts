/** Entry of the process with the JSON services: `node local/control-process.ts '{"dataDir": "...", "port": 0}'`. */
import { runChild } from './child-process.ts';
import { type ControlOptions, openControl } from './control.ts';
import { listen } from './front.ts';

await runChild(async (options: ControlOptions & { port?: number; hosts?: readonly string[] }) => {
  const control = await openControl(options);
  const listener = await listen(control.handle, options.port ?? 0, { hosts: options.hosts ?? [] });
  const close = async () => {
    await listener.close();
    await control.close();
  };
  return { port: listener.port, close };
});
