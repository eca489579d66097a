/** A host that takes disks by itself, as ESXi hosts behind a vCenter do: another address, another certificate. */
import { once } from "node:events";
import { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { TestAuthority } from "../../../src/tls/testing/pki.ts";

export class DiskHost implements AsyncDisposable {
  /** What vCenter tells of it: SHA-1, with colons. A test may have it lie. */
  thumbprint: string;
  readonly #server: Server;

  private constructor(server: Server, certificate: string) {
    this.#server = server;
    this.thumbprint = new X509Certificate(certificate).fingerprint;
  }

  static async start(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<DiskHost> {
    const { certificate, key } = await (await TestAuthority.create()).issueServer("127.0.0.1");
    const server = createServer({ cert: certificate, key }, (request, response) => {
      answer(request, response).catch(() => response.destroy());
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new DiskHost(server, certificate);
  }

  /** A lease's properties with this host in the place of vCenter itself. */
  told(answer: string): string {
    const { port } = this.#server.address() as AddressInfo;
    return answer
      .replaceAll("https://*/", `https://127.0.0.1:${port}/`)
      .replaceAll("<sslThumbprint></sslThumbprint>", `<sslThumbprint>${this.thumbprint}</sslThumbprint>`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}
