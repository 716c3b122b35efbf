/** Questions that can be asked together: while one batch is under way, the next one gathers. */
export function inBatches<Q, A>(
  ask: (questions: readonly Q[]) => Promise<readonly A[]>,
  most: number,
): (question: Q) => Promise<A> {
  interface Waiting {
    readonly question: Q;
    readonly resolve: (answer: A) => void;
    readonly reject: (error: unknown) => void;
  }
  const waiting: Waiting[] = [];
  let isAsking = false;
  async function askAll(): Promise<void> {
    isAsking = true;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, most);
      try {
        const answers = await ask(batch.map(({ question }) => question));
        for (const [n, { resolve, reject }] of batch.entries()) {
          const answer = answers[n];
          if (answer === undefined) reject(new Error('fewer answers than questions'));
          else resolve(answer);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    isAsking = false;
  }
  return (question) =>
    new Promise((resolve, reject) => {
      waiting.push({ question, resolve, reject });
      if (!isAsking) queueMicrotask(() => !isAsking && askAll());
    });
}
