/**
 * Ends an OpenSSH multiplexing master by its control socket, as `ssh -O exit` does (PROTOCOL.mux of OpenSSH), without a
 * process for it. Loaded where a shared connection is closed.
 */
import { connect } from "node:net";
import { encodeString, encodeUint32 } from "./wire.ts";

const protocolVersion = 4;
const messages = { hello: 0x0000_0001, terminate: 0x1000_0005 } as const;
const requestId = 0;

/** The master's greeting and its answer: three numbers each, the first of them the length of the others. */
const wholeAnswerBytes = 24;

function packet(...fields: readonly number[]): Buffer {
  return encodeString(Buffer.concat(fields.map(encodeUint32)));
}

/** True where the master has taken it, or has ended; false where nobody listens, or answers within the bound. */
export async function askMasterToExit(controlPath: string, boundMs: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ path: controlPath });
    let received = 0;
    let isConnected = false;
    const settle = (isEnding: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isEnding);
    };
    const timer = setTimeout(() => settle(false), boundMs);
    socket.once("connect", () => {
      isConnected = true;
      socket.write(Buffer.concat([packet(messages.hello, protocolVersion), packet(messages.terminate, requestId)]));
    });
    socket.on("data", (chunk: Buffer) => {
      received += chunk.length;
      if (received >= wholeAnswerBytes) settle(true);
    });
    socket.on("error", () => settle(isConnected));
    socket.once("close", () => settle(isConnected));
  });
}
