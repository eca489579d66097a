/** Warnings of the runtime and of libraries that a user can do nothing about are not printed while some work is done. */

/** @param isMeant told what `process.emitWarning` was given: the warning, then its type or its options */
export async function withoutWarnings<T>(isMeant: (...given: readonly unknown[]) => boolean, work: () => Promise<T>): Promise<T> {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: []) => {
    if (!isMeant(warning, ...rest)) emitWarning(warning, ...rest);
  };
  try {
    return await work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
