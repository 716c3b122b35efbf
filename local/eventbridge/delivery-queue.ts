/**
 * Deliveries that must happen: to functions and state machines, from rules, schedules and asynchronous invocations. Each is
 * in a journal before it is acknowledged and leaves it after it succeeded or was given up, so a kill repeats some and
 * loses none.
 */
import { randomUUID } from 'node:crypto';
import { type Journal, openJournal } from '../wire/journal.ts';
import type { Json } from '../wire/json.ts';

/** Something to hand to a target. */
export interface Delivery {
  /** Stable over attempts and restarts: a target may use it to know a repetition. */
  id: string;
  /** ARN of a function or a state machine. */
  target: string;
  payload: Json;
  /** Who asked: a rule, a schedule, an invocation. For the log of what was given up. */
  origin: string;
  queuedAtMs: number;
  /** Attempts that the target's own code failed. */
  failures: number;
}

/** Thrown by a deliverer when the target ran and failed by itself: retried twice, as Lambda does. */
export class TargetFailed extends Error {}

/** Thrown by a deliverer when trying again cannot help. */
export class Undeliverable extends Error {}

/** Attempts after the first one when the target's code fails, as Lambda does for asynchronous invocations. */
const CODE_RETRIES = 2;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
/** Age at which an undelivered event is given up, as EventBridge does by default. */
const MAX_AGE_MS = 24 * 3_600_000;
/** Deliveries to one machine at once. */
const WIDTH = 64;
/** Journal lines that may be out of date before it is rewritten. */
const SLACK = 10_000;

export interface DeliveryQueue {
  /** Accepts deliveries; they survive a kill from here on. */
  add(deliveries: readonly Pick<Delivery, 'target' | 'payload' | 'origin'>[]): void;
  /** Tries what waits for its next attempt, now: called when a function has just been registered. */
  kick(): void;
  /** Starts delivering, beginning with what a previous process left. */
  start(): void;
  /** What was given up, newest last, with the reason. */
  readonly deadLetters: readonly (Delivery & { reason: string })[];
  /** Settles when nothing is queued or under way. */
  idle(): Promise<void>;
  close(): void;
}

type Line = { add: Delivery } | { done: string } | { dead: Delivery & { reason: string } };

/** Where the queue is kept and how it delivers. Factor `retryScale` shortens the delays between attempts in tests. */
export interface DeliveryOptions {
  path?: string | undefined;
  deliver: (delivery: Delivery) => Promise<void>;
  retryScale?: number;
}

/** Opens the queue. */
export function openDeliveryQueue(options: DeliveryOptions): DeliveryQueue {
  const { journal, records } = openJournal<Line>(options.path);
  const pending = new Map<string, Delivery>();
  const deadLetters: (Delivery & { reason: string })[] = [];
  const ready: string[] = [];
  const waiting = new Map<string, NodeJS.Timeout>();
  const idlers: (() => void)[] = [];
  let running = 0;
  let started = false;
  let closed = false;

  for (const line of records) {
    if ('add' in line) pending.set(line.add.id, line.add);
    else if ('done' in line) pending.delete(line.done);
    else deadLetters.push(line.dead);
  }
  compact(journal, pending, deadLetters);

  function pump(): void {
    while (started && !closed && running < WIDTH && ready.length > 0) {
      const delivery = pending.get(ready.shift() ?? '');
      if (delivery === undefined) continue;
      running++;
      void attempt(delivery).finally(() => {
        running--;
        pump();
      });
    }
    if (pending.size === 0) for (const idler of idlers.splice(0)) idler();
  }

  async function attempt(delivery: Delivery): Promise<void> {
    try {
      await options.deliver(delivery);
      settle(delivery, { done: delivery.id });
    } catch (error) {
      if (!closed) retry(delivery, error);
    }
  }

  function retry(delivery: Delivery, error: unknown): void {
    const ranAndFailed = error instanceof TargetFailed;
    const failures = delivery.failures + (ranAndFailed ? 1 : 0);
    const ageMs = Date.now() - delivery.queuedAtMs;
    if (failures > CODE_RETRIES || ageMs > MAX_AGE_MS || error instanceof Undeliverable) {
      const dead = { ...delivery, failures, reason: error instanceof Error ? error.message : String(error) };
      deadLetters.push(dead);
      settle(delivery, { dead });
      return;
    }
    pending.set(delivery.id, { ...delivery, failures });
    const delayMs = Math.min(FIRST_DELAY_MS + ageMs / 2, MAX_DELAY_MS) * (options.retryScale ?? 1);
    waiting.set(
      delivery.id,
      setTimeout(() => wake(delivery.id), delayMs),
    );
  }

  function wake(id: string): void {
    clearTimeout(waiting.get(id));
    waiting.delete(id);
    ready.push(id);
    pump();
  }

  function settle(delivery: Delivery, line: Line): void {
    if (closed) return;
    pending.delete(delivery.id);
    journal.append(line);
    if ('dead' in line) journal.append({ done: delivery.id });
    if (journal.length > 2 * pending.size + SLACK) compact(journal, pending, deadLetters);
  }

  return {
    deadLetters,
    add: (deliveries) => {
      for (const each of deliveries) {
        const delivery: Delivery = { id: randomUUID(), queuedAtMs: Date.now(), failures: 0, ...each };
        journal.append({ add: delivery });
        pending.set(delivery.id, delivery);
        ready.push(delivery.id);
      }
      setImmediate(pump);
    },
    kick: () => {
      for (const id of [...waiting.keys()]) wake(id);
    },
    start: () => {
      started = true;
      ready.push(...[...pending.keys()].filter((id) => !ready.includes(id)));
      pump();
    },
    idle: () =>
      new Promise((resolve) => {
        if (pending.size === 0) resolve();
        else idlers.push(resolve);
      }),
    close: () => {
      closed = true;
      for (const timer of waiting.values()) clearTimeout(timer);
      journal.close();
    },
  };
}

/** Dead letters are kept to be read, but not for ever. */
const KEPT_DEAD_LETTERS = 1000;

function compact(
  journal: Journal<Line>,
  pending: ReadonlyMap<string, Delivery>,
  deadLetters: (Delivery & { reason: string })[],
): void {
  deadLetters.splice(0, deadLetters.length - KEPT_DEAD_LETTERS);
  journal.rewrite([...deadLetters.map((dead) => ({ dead })), ...[...pending.values()].map((add) => ({ add }))]);
}
