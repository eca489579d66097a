/** One line of standard input, shown or hidden. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";

/** @param onHidden given for input that is not to be shown; called when the terminal shows no more what is typed. */
export function readLine(input: NodeJS.ReadStream, signal: AbortSignal, onHidden?: () => void): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // With a terminal, the echo is readline's own: it goes nowhere.
    const reader = createInterface(onHidden === undefined ? { input } : { input, output: nowhere(), terminal: true });
    onHidden?.();
    let line: string | undefined;
    const onAbort = (): void => reader.close();
    signal.addEventListener("abort", onAbort, { once: true });
    reader.once("line", (text) => {
      line = text;
      reader.close();
    });
    // In raw mode the terminal sends no signal for Ctrl-C; readline tells instead. The signal aborts, and that is no answer.
    reader.on("SIGINT", () => void process.kill(process.pid, "SIGINT"));
    reader.once("close", () => {
      signal.removeEventListener("abort", onAbort);
      input.pause();
      if (signal.aborted) reject(signal.reason as Error);
      else resolve(line);
    });
  });
}

function nowhere(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() });
}
