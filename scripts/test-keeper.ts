/**
 * A program that keeps something open while a group of tests runs, such as the lab's engine: it says "ready" on a line of
 * its own once that stands, and ends, cleaning up, when its standard input does.
 */
import { spawn } from "node:child_process";
import { endTree, readLines, type JobContext } from "./test-job.ts";

const closeBoundMs = 120_000;

export interface Keeper {
  /** Tells it to end, and waits for that. Gives what went wrong. */
  close(): Promise<string | undefined>;
}

/** Returns once it is ready. Throws when it ends before, or the signal comes. */
export async function openKeeper(script: string, context: JobContext): Promise<Keeper> {
  const child = spawn(process.execPath, [script], { detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const gone = new Promise<number | null>((resolve) => child.once("close", resolve));
  const end = (): void => endTree(child.pid);
  await new Promise<void>((resolve, reject) => {
    const hear = (line: string): void => (line === "ready" ? resolve() : context.say(line));
    void readLines(child.stdout, hear);
    void readLines(child.stderr, context.say);
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`${script} ended before it was ready`)));
    const onAbort = (): void => {
      end();
      reject(context.signal.reason as Error);
    };
    if (context.signal.aborted) onAbort();
    // Once it is ready its clean-up is wanted, also in a run that was interrupted.
    else context.signal.addEventListener("abort", () => child.stdin.end());
  });
  return {
    close: async () => {
      child.stdin.end();
      const timer = setTimeout(end, closeBoundMs);
      const status = await gone;
      clearTimeout(timer);
      return status === 0 ? undefined : `${script} did not clean up (${status === null ? "it hung" : `exit status ${status}`})`;
    },
  };
}
