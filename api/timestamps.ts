/** `YYYY-MM-DDTHH:MM:SSZ`, the form of images, members, tasks and metadefs; `iso` has milliseconds. */
export function wireTime(iso: string): string {
  return `${iso.slice(0, 19)}Z`;
}

/** `YYYY-MM-DDTHH:MM:SS.ffffff` without zone, the form of /v2/images/{id}/tasks. */
export function microTime(iso: string): string {
  return `${iso.slice(0, 23)}000`;
}
