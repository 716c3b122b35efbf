export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Of a verb that tells the time. */
export interface WithClock {
  readonly clock: Clock;
}

/** Of a verb that makes ids. */
export interface WithIds {
  readonly newId: () => string;
}
