/** A mutation run (scripts/mutate.ts): the embedded AWS is in the test's own process, where a mutant can be switched on and seen. */
export const ONE_PROCESS = process.env['GLIMPSE_TEST_ONE_PROCESS'] !== undefined;
