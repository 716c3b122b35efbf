import { observed } from '../../aws/telemetry.ts';
import { type ServiceDeps, serviceDeps } from '../../service/deps.ts';

/** A Lambda handler of an event or a schedule. It may be called twice with the same, and is called again when it throws. */
export interface EventHandler<E> {
  (event: E): Promise<unknown>;
  /** The same with dependencies of the caller's. */
  readonly on: (deps: ServiceDeps, event: E) => Promise<unknown>;
}

export function eventHandler<E>(on: EventHandler<E>['on']): EventHandler<E> {
  return Object.assign(
    observed(async (event: E) => on(await serviceDeps(), event)),
    { on },
  );
}
