/** The instants at which a process can be killed to effect: right before it changes something outside of itself. */

let count = 0;
const killAt = Number(process.env["KILL_AT"] ?? 0);

/** Called before each change. With KILL_AT=n the process ends at the n-th, as by `kill -9`. */
export function instant(): void {
  count += 1;
  if (count === killAt) process.kill(process.pid, "SIGKILL");
}

export function instantsSoFar(): number {
  return count;
}
