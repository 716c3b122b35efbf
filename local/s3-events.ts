import { type BusEvent, busEvent } from './eventbridge/event.ts';
import type { ObjectEvent } from './s3/events.ts';

/** The EventBridge event of a change in a bucket (Amazon S3 User Guide, "EventBridge event message structure"). */
export function s3BusEvent(event: ObjectEvent): BusEvent {
  const object = {
    key: event.key,
    sequencer: event.sequencer,
    ...(event.size === undefined ? {} : { size: event.size }),
    ...(event.etag === undefined ? {} : { etag: event.etag }),
  };
  const detail = {
    version: '0',
    bucket: { name: event.bucket },
    object,
    'request-id': event.requestId,
    requester: '000000000000',
    reason: event.reason,
    ...(event.name === 'Object Deleted' ? { 'deletion-type': 'Permanently Deleted' } : {}),
  };
  const made = busEvent('aws.s3', event.name, detail, [`arn:aws:s3:::${event.bucket}`]);
  const time = `${new Date(event.timeMs).toISOString().slice(0, 19)}Z`;
  return { ...made, time, region: event.region };
}
