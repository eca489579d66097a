/** A folder served by HTTP where hosts of the lab can reach it, from this process, with what went wrong on purpose. */
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { stat } from "node:fs/promises";
import * as path from "node:path";
import { pipeline } from "node:stream/promises";

/** What is answered in place of the file: another text, or a status without one. */
export type OtherAnswer = string | Buffer | number;

export interface ServedFolder extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for so far. */
  readonly requests: readonly string[];
  /** From now on, until {@link mend}, answers what is given for each path that the pattern fits. */
  spoil(pattern: RegExp, answer: OtherAnswer): void;
  mend(): void;
  /** From now on files of this subfolder stand in the place of those of the same path; undefined = no more. */
  overlay(subfolder: string | undefined): void;
  close(): Promise<void>;
}

/** @param texts made up on the spot, by their paths */
export async function serveFolder(
  folder: string,
  address: string,
  texts: Readonly<Record<string, (url: string) => string>> = {},
): Promise<ServedFolder> {
  const requests: string[] = [];
  const spoilt: (readonly [RegExp, OtherAnswer])[] = [];
  let above: string | undefined;
  const fileOf = async (wanted: string): Promise<string> => {
    const below = path.normalize(wanted);
    const overlaid = path.join(folder, above ?? "", below);
    return await stat(overlaid).then(
      () => overlaid,
      () => path.join(folder, below),
    );
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const wanted = decodeURIComponent(new URL(request.url ?? "/", "http://lab").pathname);
    requests.push(wanted);
    const other = spoilt.find(([pattern]) => pattern.test(wanted))?.[1] ?? texts[wanted]?.(`http://${request.headers.host}`);
    if (typeof other === "number") response.writeHead(other).end();
    else if (other !== undefined) response.end(other);
    else await sendFile(await fileOf(wanted), response);
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, address);
  await once(server, "listening");
  const close = (): Promise<void> => closeServer(server);
  return {
    url: `http://${address}:${(server.address() as AddressInfo).port}`,
    requests,
    spoil: (pattern, other) => void spoilt.push([pattern, other]),
    mend: () => void spoilt.splice(0),
    overlay: (subfolder) => void (above = subfolder),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function sendFile(file: string, response: ServerResponse): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "Content-Length": found.size });
  // Who asked may have gone.
  await pipeline(createReadStream(file), response).catch(() => {});
}

async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}
