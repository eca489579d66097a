/** What moto's instances run on: a server that is told of all of them, and tells the addresses of those that are on. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import type { CloudMachine } from "../../lab/cloud-hosts.ts";

export type Settle = (machines: readonly CloudMachine[]) => Promise<ReadonlyMap<string, string>>;

export interface ServedHardware extends AsyncDisposable {
  readonly url: string;
}

export async function serveHardware(settle: Settle): Promise<ServedHardware> {
  const server = createServer((request, response) => {
    void (async () => {
      try {
        const addresses = await settle((await json(request)) as readonly CloudMachine[]);
        response.end(JSON.stringify(Object.fromEntries(addresses)));
      } catch (error) {
        response.writeHead(500).end(String(error));
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
