/** Deliveries under way at once. */
const MAX_IN_FLIGHT = 8;

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 5_000;

/**
 * An object event as S3 reports it to EventBridge. `size` (bytes) and `etag` (no quotes) are absent for deletions;
 * `sequencer` is hexadecimal of fixed width and grows with every change, hence per key.
 * Source: Amazon S3 User Guide, "EventBridge event message structure".
 */
export interface ObjectEvent {
  readonly name: 'Object Created' | 'Object Deleted';
  readonly reason: 'PutObject' | 'CopyObject' | 'CompleteMultipartUpload' | 'DeleteObject';
  readonly bucket: string;
  readonly key: string;
  readonly size?: number;
  readonly etag?: string;
  readonly sequencer: string;
  readonly region: string;
  /** When the change was committed, in milliseconds since the epoch. */
  readonly timeMs: number;
  readonly requestId: string;
}

/** Takes one event; rejecting asks for it again later. */
export type EventListener = (event: ObjectEvent) => Promise<void> | void;

/**
 * Delivers journaled events at least once: each is offered until the listener resolves, then `onDelivered` records that.
 * Order is not promised (as on AWS); the sequencer tells it.
 */
export class EventQueue {
  readonly #listener: EventListener;
  readonly #onDelivered: (event: ObjectEvent) => void;
  readonly #waiting: ObjectEvent[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  #inFlight = 0;
  #closed = false;

  constructor(listener: EventListener, onDelivered: (event: ObjectEvent) => void) {
    this.#listener = listener;
    this.#onDelivered = onDelivered;
  }

  add(event: ObjectEvent): void {
    this.#waiting.push(event);
    // The request that caused the event is answered first.
    setImmediate(() => this.#pump());
  }

  /** Stops delivering; what was not delivered is offered again by the next start. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #pump(): void {
    while (!this.#closed && this.#inFlight < MAX_IN_FLIGHT) {
      const event = this.#waiting.shift();
      if (event === undefined) return;
      this.#inFlight += 1;
      void this.#deliver(event, FIRST_RETRY_MS);
    }
  }

  async #deliver(event: ObjectEvent, retryMs: number): Promise<void> {
    try {
      await this.#listener(event);
      if (this.#closed) return;
      this.#onDelivered(event);
    } catch {
      this.#retryLater(event, retryMs);
      return;
    }
    this.#inFlight -= 1;
    this.#pump();
  }

  #retryLater(event: ObjectEvent, retryMs: number): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#deliver(event, Math.min(retryMs * 2, MAX_RETRY_MS));
    }, retryMs);
    this.#timers.add(timer);
  }
}
