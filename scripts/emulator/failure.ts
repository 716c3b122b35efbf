/** What an emulator does not do, in one sentence. */

/** Rethrows what the SDK throws. @throws Error that names the emulator, the operation where it is known, and what was said */
export const refused =
  (title: string, endpoint: string) =>
  (error: unknown): never => {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const [line] = message.split('\n');
    throw new Error(
      `${title} at ${endpoint} cannot be made ready: ${name}: ${line}: start it anew, then \`npm start\` again`,
      { cause: error },
    );
  };
