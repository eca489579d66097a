/** Keys of a terminal as they are pressed, unseen, until they are given back; the terminal is then as it was before. */
import { StringDecoder } from "node:string_decoder";
import type { KeyListener } from "../cli-context.ts";

const escape = "\u001B";
/** What an arrow or another key that is no character sends is one key; Esc alone is one too. */
const oneKey = new RegExp(`${escape}(?:\\[[\\d;]*[A-Za-z~]|O[A-Z])|[^]`, "gu");
const interrupt = "\u0003";
const suspend = "\u001A";

/** In raw mode the terminal sends no signals: Ctrl-C and Ctrl-Z are made into theirs. Gives the way back. */
export function takeKeys(input: NodeJS.ReadStream, { onKey, onSuspend }: KeyListener): () => void {
  const decoder = new StringDecoder("utf8");
  const press = (key: string): void => {
    if (key === interrupt) return void process.kill(process.pid, "SIGINT");
    if (key !== suspend) return onKey(key);
    onSuspend();
    input.setRawMode(false);
    process.kill(process.pid, "SIGTSTP");
  };
  const onData = (data: Buffer): void => {
    for (const [key] of decoder.write(data).matchAll(oneKey)) press(key);
  };
  // A shell gives a program that goes on the terminal in the shell's own mode.
  const onContinued = (): void => {
    input.setRawMode(false);
    input.setRawMode(true);
  };
  const giveBack = (): void => {
    process.off("exit", giveBack);
    process.off("SIGCONT", onContinued);
    input.off("data", onData);
    input.pause();
    input.setRawMode(false);
  };
  process.on("exit", giveBack);
  process.on("SIGCONT", onContinued);
  input.setRawMode(true);
  input.on("data", onData);
  return giveBack;
}
