/** Mistakes by the file they are made in: what it is, the text, what stands there instead, and part of the name of a test that must fail. */
export type Mistakes = Readonly<
  Record<string, readonly (readonly [what: string, from: string, to: string, noticedBy: string])[]>
>;
