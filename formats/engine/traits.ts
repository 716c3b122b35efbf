/**
 * What is true of a format whatever an image of it holds: plain data, from which every list of formats in the house follows.
 * A trait that is left out does not apply.
 */
export interface FormatTraits {
  readonly format: string;
  /**
   * What Glance calls it, as disk_format or as container_format. An image can be declared to be what has a name. `holds`: the
   * disk_format of what is in the container; a file that nobody declared becomes an image of both.
   */
  readonly glance?: { readonly disk: string } | { readonly container: string; readonly holds?: string };
  /** Content is a disk as a guest sees it: partition tables and file systems in it are looked at. */
  readonly disk?: true;
  /** Content can become another format. */
  readonly convertible?: true;
  /** An import stores it as it is even where the configuration converts: its readers want the format, not the disk in it. */
  readonly kept?: true;
  /** Compression of one object, which an import may take off. */
  readonly wrapper?: true;
  /** The engine does not look at the content: accepted without a judgement of it. */
  readonly opaque?: true;
  /** No structure that a hypervisor would open as a disk: matching it is never a conflict. */
  readonly bare?: true;
  /** Never what an appliance calls its disk. */
  readonly neverDisk?: true;
  /** Declared formats that this content satisfies besides its own name; it is then taken for what was declared. */
  readonly satisfies?: readonly string[];
  /** It stays what it is when it satisfies another name. */
  readonly keepsName?: true;
  /** Extensions of files that are dropped into a bucket and mean this format, in lower case. */
  readonly extensions?: readonly string[];
}
