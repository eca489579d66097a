/** This process's standard streams as the command line wants them. Part of the composition root. */
import type { Computer } from "../../system/computer.ts";
import type { InputStream, Streams } from "../cli-context.ts";
import { openDescriptor } from "../../system/descriptor.ts";
import { ProcessOutput } from "../../system/process-output.ts";

export interface ProcessStreams extends Streams {
  readonly stdout: ProcessOutput;
  readonly stderr: ProcessOutput;
}

export function processStreams(computer: Computer): ProcessStreams {
  const needsStream = computer.os === "windows";
  return {
    stdin,
    stdout: new ProcessOutput({ descriptor: openDescriptor(1), stream: () => process.stdout, needsStream }),
    stderr: new ProcessOutput({ descriptor: openDescriptor(2), stream: () => process.stderr, needsStream }),
  };
}

const stdin: InputStream = {
  get isTerminal() {
    return openDescriptor(0).mayBeTerminal() && process.stdin.isTTY;
  },
  readLine: (signal) => readStandardInput(signal),
  readSecretLine: (signal, onHidden) => readStandardInput(signal, onHidden),
  takeKeys: async (listener) => (await import("./take-keys.ts")).takeKeys(process.stdin, listener),
};

async function readStandardInput(signal: AbortSignal, onHidden?: () => void): Promise<string | undefined> {
  const { readLine } = await import("./read-line.ts");
  return await readLine(process.stdin, signal, onHidden);
}
