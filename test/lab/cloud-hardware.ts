/** What a cloud's machines run on, for clouds that are programs of others: a server that they tell of all their machines. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { CloudMachine } from "./cloud-hosts.ts";

export type Settle = (machines: readonly CloudMachine[]) => Promise<ReadonlyMap<string, string>>;

export interface HardwareOptions {
  /** Where it listens; this computer alone unless told. */
  readonly address?: string;
  /** Hears of a further address of a machine's, and of that which it has of its own; undefined when it has it no more. */
  readonly lend?: (address: string, own: string | undefined) => Promise<void>;
}

export interface ServedHardware extends AsyncDisposable {
  readonly url: string;
}

/** Takes `/`, all machines, and answers with the addresses of those that are on; and `/lent`, one further address. */
export async function serveHardware(settle: Settle, options: HardwareOptions = {}): Promise<ServedHardware> {
  const { address = "127.0.0.1", lend } = options;
  const answer = async (request: IncomingMessage): Promise<object> => {
    const told = await json(request);
    if (request.url !== "/lent") return Object.fromEntries(await settle(told as readonly CloudMachine[]));
    const { lent, own } = told as { readonly lent: string; readonly own: string | null };
    await lend?.(lent, own ?? undefined);
    return {};
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (told) => response.end(JSON.stringify(told)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
