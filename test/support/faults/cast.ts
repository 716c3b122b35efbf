/** Of everything that plays own. */
export const PROJECT = 'p1';
/** The image of a scenario; drops make others. */
export const IMAGE_ID = '10000000-0000-4000-8000-000000000001';
