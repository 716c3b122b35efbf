import type { Image, Location } from './image.ts';
import type { ImageChange } from './repository.ts';

/** The image while changes are applied to it. */
export interface Draft {
  image: Image;
  /** What is written about locations, status and hashes besides the plain attributes. */
  extra: {
    addLocations?: readonly Location[];
    removeLocations?: readonly string[];
    set?: NonNullable<ImageChange['set']>;
  };
}
