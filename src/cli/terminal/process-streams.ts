/** This process's standard streams as the command line wants them. Part of the composition root. */
import { isatty } from "node:tty";
import type { InputStream, OutputStream, Streams } from "../context.ts";

export function processStreams(): Streams {
  return { stdin: processInput(), stdout: processOutput(process.stdout, 1), stderr: processOutput(process.stderr, 2) };
}

const defaultColumns = 80;
const defaultRows = 24;

function processOutput(stream: NodeJS.WriteStream, descriptor: number): OutputStream {
  let gone = false;
  stream.on("error", () => {
    // A reader that closed the pipe (`| head`) must not stop work that is under way.
    gone = true;
  });
  return {
    write: (data) => void (gone || stream.write(data)),
    get isTerminal() {
      return isatty(descriptor);
    },
    get columns() {
      return stream.columns ?? defaultColumns;
    },
    get rows() {
      return stream.rows ?? defaultRows;
    },
  };
}

function processInput(): InputStream {
  return {
    get isTerminal() {
      return isatty(0);
    },
    readLine: (signal) => readStandardInput(signal),
    readSecretLine: (signal, onHidden) => readStandardInput(signal, onHidden),
  };
}

async function readStandardInput(signal: AbortSignal, onHidden?: () => void): Promise<string | undefined> {
  const { readLine } = await import("./read-line.ts");
  return await readLine(process.stdin, signal, onHidden);
}
