/** Programs of a test that end with it, however it ends: a test that is killed takes nothing back. */

/**
 * The words that start it so; the kernel sees to it.
 * @param signal what it gets, as setpriv names it
 */
export function endingWithUs(
  program: string,
  args: readonly string[],
  signal: "KILL" | "QUIT" = "KILL",
): readonly [program: string, args: readonly string[]] {
  return ["setpriv", [`--pdeathsig=${signal}`, program, ...args]];
}
