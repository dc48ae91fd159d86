/*
 * Asking: somebody who goes on while something is done to the stack.
 */

/** Asks again and again until it is stopped; returns what was answered, errors included. */
export function askOn(ask) {
  const answers = [];
  let stopped = false;
  const asking = (async () => {
    while (!stopped) answers.push(await ask().catch((error) => error.code ?? error.message));
  })();
  return { answers, stop: async () => ((stopped = true), await asking, answers) };
}
