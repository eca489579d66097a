/** Machines of the generic driver on an SSH server of this computer: as adopted ones, whose engine is asked over SSH alone. */
import { readFile } from "node:fs/promises";
import type { TestServer } from "../ssh/real-servers.ts";
import type { CommandLine } from "./command-line.ts";

export interface SshMachine {
  readonly name: string;
  /** In place of the server's own. */
  readonly port?: number;
  readonly userName?: string;
  /** What 0.16.2 does not know, as `EngineTransport`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Where the engine is recorded to listen; where nothing does unless given. */
  readonly enginePort?: number;
}

export async function addSshMachine(shell: CommandLine, server: TestServer, machine: SshMachine): Promise<void> {
  const { name, extra = {}, enginePort = 1 } = machine;
  const auth = {
    CertDir: "STORE/certs",
    CaCertPath: "STORE/certs/ca.pem",
    CaPrivateKeyPath: "STORE/certs/ca-key.pem",
    ServerCertPath: `STORE/machines/${name}/server.pem`,
    ServerKeyPath: `STORE/machines/${name}/server-key.pem`,
    ClientKeyPath: "STORE/certs/key.pem",
    ClientCertPath: "STORE/certs/cert.pem",
    StorePath: `STORE/machines/${name}`,
  };
  const record = {
    ConfigVersion: 3,
    Driver: {
      IPAddress: server.hostName,
      MachineName: name,
      SSHUser: machine.userName ?? server.userName,
      SSHPort: machine.port ?? server.port,
      SSHKeyPath: server.identityFile,
      StorePath: "STORE",
      EnginePort: enginePort,
      SSHKey: server.identityFile,
    },
    DriverName: "generic",
    HostOptions: { EngineOptions: {}, SwarmOptions: {}, AuthOptions: auth },
    Name: name,
    Extra: extra,
  };
  await shell.addRecord(name, JSON.stringify(record, undefined, 4));
}

export async function extraOf(shell: CommandLine, name: string): Promise<Record<string, unknown>> {
  const record = JSON.parse(await readFile(shell.recordPath(name), "utf8")) as { Extra?: Record<string, unknown> };
  return record.Extra ?? {};
}
