/** An engine that answers over TLS with a certificate of a store's own authority. */
import * as path from "node:path";
import { FakeEngine } from "../../src/engine/fake-engine.ts";
import { systemClock } from "../../src/system/clock.ts";
import { authorityPaths } from "../../src/tls/authority-files.ts";
import { createServerCertificate } from "../../src/tls/machine-certificates.ts";
import type { CommandLine } from "./command-line.ts";

/** The store must have its certificates: some machine was created in it. */
export async function engineFor({ store }: Pick<CommandLine, "store">, engineVersion?: string): Promise<FakeEngine> {
  const paths = authorityPaths(path.join(store, "certs"));
  const names = { machineName: "web", userName: "tester", addresses: ["127.0.0.1"], extraNames: [] };
  const { ca, certificate, key } = await createServerCertificate({
    paths,
    ...names,
    isSwarmMaster: false,
    keyType: "ecdsa",
    clock: systemClock,
  });
  return await FakeEngine.start({ certificate, key, clientCa: ca, engineVersion });
}
