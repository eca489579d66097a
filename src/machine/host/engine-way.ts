/** A connection to a machine's engine for whoever asks it more than how it is: over TLS at its port, or over SSH where it has none. */
import { EngineApi } from "../../engine/engine-api.ts";
import { parseEngineUrl } from "../../engine/engine-address.ts";
import { clientCredentialsOf, engineUrlOf, nameInCertificate } from "./engine-connection.ts";
import { isOverSsh } from "./engine-transport.ts";
import type { Host } from "./host.ts";
import { openHost } from "./open-host.ts";
import type { MachineContext } from "../machine-context.ts";

export interface EngineWay extends AsyncDisposable {
  readonly api: EngineApi;
}

/** Work at a machine's engine. Throws what connecting throws. */
export async function atEngine<T>(
  context: MachineContext,
  name: string,
  signal: AbortSignal,
  work: (api: EngineApi) => Promise<T>,
): Promise<T> {
  await using host = await openHost(context, name);
  await using way = await openEngineWay(context, host, signal);
  return await work(way.api);
}

/** Throws what connecting throws; over TLS nothing is asked yet. */
export async function openEngineWay(context: MachineContext, host: Host, signal: AbortSignal): Promise<EngineWay> {
  if (isOverSsh(host)) {
    const { openEngineSocket } = await import("./engine-socket.ts");
    const socket = await openEngineSocket(context, host, signal);
    const api = new EngineApi({ kind: "socket", path: socket.path });
    return { api, [Symbol.asyncDispose]: async () => await socket[Symbol.asyncDispose]() };
  }
  const { ca, cert: certificate, key } = await clientCredentialsOf(context, host);
  const address = parseEngineUrl(await engineUrlOf(host));
  const api = new EngineApi({ kind: "tcp", ...address, tls: { ca, certificate, key, machineName: nameInCertificate(host) } });
  return { api, [Symbol.asyncDispose]: async () => {} };
}
