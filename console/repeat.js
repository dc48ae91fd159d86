/*
 * Doing something again and again while a view is looked at, one at a time.
 */

/** Resolves after the first time; goes on until `signal` is aborted, and rests while the tab is hidden. */
export async function repeat(everyMs, signal, act) {
  await act();
  const next = async () => {
    if (signal.aborted) return;
    if (!document.hidden) await act();
    setTimeout(next, everyMs);
  };
  setTimeout(next, everyMs);
}
