import { takeDrop } from '../../core/imports/take-drop.ts';
import { eventHandler } from './event.ts';

/** "Object Created" of Amazon S3, as EventBridge delivers it. Keys are plain text here, not URL-encoded. */
interface ObjectCreated {
  readonly detail: { readonly object: { readonly key: string; readonly sequencer?: string } };
}

/** A file was dropped into the staging bucket: it becomes an image of the project its key names, or goes into quarantine with the reason. */
export const handler = eventHandler<ObjectCreated>((deps, { detail: { object } }) =>
  takeDrop(deps, { key: object.key, sequencer: object.sequencer ?? '' }),
);
