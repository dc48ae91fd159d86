/*
 * How many times as long as promised things may take: 1 on a machine like the one that the times were
 * promised for, more on a slower one (the suite measures that) and under a sanitizer. Waiting takes it
 * into account by itself; it is for times that a test compares.
 */
export const SLOWDOWN = Number(process.env.TEST_SLOWDOWN ?? 1);
