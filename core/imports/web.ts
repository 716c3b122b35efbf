/** A file that an import fetches: at a URL that a user named, or at a service that the operator's catalog names. */
export interface WebSource {
  readonly uri: string;
  /** The origin of an address of the operator's: no filter judges it, and it alone is told the headers. What it redirects to is judged. */
  readonly trusted?: { readonly origin: string; readonly headers: Readonly<Record<string, string>> };
}

/** The rest of a version of a file, from a byte on. */
export interface WebRest {
  readonly offset: number;
  /** Names the version to the server (If-Range). */
  readonly validator: string;
  /** Bytes of the whole file, when the server said. */
  readonly length: number | undefined;
}

export interface WebAnswer {
  /** Bytes of the whole file; undefined when the server does not say. */
  readonly length: number | undefined;
  /** Where the body begins in the file: where it was asked to, or 0. */
  readonly offset: number;
  /** What names this version of the file to the server; undefined when nothing does. */
  readonly validator: string | undefined;
  /** Where a connection breaks or stalls, it goes on with the same version. @throws FetchFailed when that cannot be had */
  readonly body: AsyncIterable<Uint8Array>;
  /** Where the server gives parts of this version, whose length is known then. */
  readonly ranges?: WebRanges;
}

export interface WebRanges {
  /** Connections that may be open at once, the body's included; 1 while others fetch as much from the same host. */
  readonly connections: number;
  /** Bytes [start, end) of the version. @throws FetchFailed when the server does not give exactly them */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
}

/** What imports ask of other people's servers. Every connection passes import_filtering_opts. A signal that is aborted ends them all. */
export interface Web {
  /**
   * Opens a file, following redirects; its `rest` when the server has that version still and gives parts of it, or else all of it.
   * @throws FetchFailed: refused by the filter, unreachable, or an answer that is not all of it, or coded
   */
  open(source: WebSource, signal: AbortSignal, rest?: WebRest): Promise<WebAnswer>;
  /** A small JSON document. @throws FetchFailed */
  readJson(source: WebSource, signal: AbortSignal): Promise<unknown>;
}
