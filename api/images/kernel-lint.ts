/** Kernels and ramdisks that images name: they are images of their own, and nobody keeps them from being deleted. */

/** The properties that name one. */
export const BOOT_PROPERTIES = ['kernel_id', 'ramdisk_id'] as const;
type BootProperty = (typeof BOOT_PROPERTIES)[number];

export interface KernelFinding {
  /** `gone`: the image names one that is not there, and does not boot. `in_use`: other images name this one. */
  readonly kind: 'gone' | 'in_use';
  readonly property: BootProperty;
  /** Id of the kernel or ramdisk. */
  readonly value: string;
  /** A sentence. */
  readonly message: string;
}

type ImageAttributes = Readonly<Record<string, unknown>>;

export interface Surroundings {
  /** Ids of images that are not there, or not for the caller. */
  readonly gone: ReadonlySet<string>;
  /** Images that name another one by one of the properties. */
  readonly users: readonly ImageAttributes[];
}

/** Images that a message names; of more it tells the number. */
const NAMED = 5;

/** What there is to say of an image that boots from others, or that others boot from. */
export function kernelFindings(image: ImageAttributes, { gone, users }: Surroundings): KernelFinding[] {
  return BOOT_PROPERTIES.flatMap((property) => [
    ...missing(image, property, gone),
    ...inUse(
      String(image['id']),
      property,
      users.filter((user) => user[property] === image['id']),
    ),
  ]);
}

function missing(image: ImageAttributes, property: BootProperty, gone: ReadonlySet<string>): KernelFinding[] {
  const value = bootIdOf(image, property);
  if (value === undefined || !gone.has(value)) return [];
  return [{ kind: 'gone', property, value, message: `${property}: there is no image ${value}: servers will not boot` }];
}

function inUse(value: string, property: BootProperty, users: readonly ImageAttributes[]): KernelFinding[] {
  if (users.length === 0) return [];
  const ids = users.slice(0, NAMED).map(({ id }) => String(id));
  const more = users.length > NAMED ? ` and ${users.length - NAMED} more` : '';
  const message = `images that boot with it (${property}): ${ids.join(', ')}${more}`;
  return [{ kind: 'in_use', property, value, message }];
}

/** The id that an image names; undefined for none, as both properties may be null or empty. */
export function bootIdOf(image: ImageAttributes, property: BootProperty): string | undefined {
  const value = image[property];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
