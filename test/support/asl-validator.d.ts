declare module 'asl-validator' {
  /** Checks a definition against the Amazon States Language. */
  // biome-ignore lint/style/noDefaultExport: the shape of the package
  export default function validate(definition: object): { isValid: boolean; errors: readonly unknown[] };
}
