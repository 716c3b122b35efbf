/** Bytes that a location URL leads to. */
export interface FoundLocation {
  readonly store: string;
  /** Bytes. */
  readonly size: number;
}

/** Location URLs that clients bring. */
export interface LocationPort {
  /** Undefined when the URL belongs to no configured store or leads to nothing. @throws BackendUnavailable */
  find(url: string): Promise<FoundLocation | undefined>;
}

/** Of a verb that follows location URLs. */
export interface WithLocations {
  readonly locations: LocationPort;
}
