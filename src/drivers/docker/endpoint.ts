/** Which engine carries the machines, and how they are reached from here. */
import * as path from "node:path";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import type { ApiEndpoint, ApiTls } from "../../engine/engine-api.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { factsOf } from "../../system/disk-files.ts";
import { certificatesIn } from "../../system/certificate-glance.ts";
import { readFileIfExists } from "../../system/files.ts";
import type { Computer } from "../../system/computer.ts";

const plainPort = 2375;

/** The engine's address in DOCKER_HOST's form, when none is named. */
export async function findLocalEngine(computer: Computer): Promise<string> {
  if (computer.os === "windows") return "npipe:////./pipe/docker_engine";
  const home = computer.homeDir ?? "";
  const runtime = computer.env["XDG_RUNTIME_DIR"] ?? "";
  const candidates = ["/var/run/docker.sock", path.join(home, ".docker/run/docker.sock"), path.join(runtime, "docker.sock")];
  for (const candidate of candidates) if ((await factsOf(candidate)) !== undefined) return `unix://${candidate}`;
  throw new MachineError("engine-unreachable", "No Docker Engine runs on this computer", {
    hint: "Install one (sudo apt-get install --yes docker.io), name one with --docker-host, or make a virtual machine: --driver qemu",
  });
}

/** Throws `driver-options` for what is no engine's address. */
export async function openEndpoint(address: string, certPath: string): Promise<ApiEndpoint> {
  const socket = /^(?:unix|npipe):\/\/(\/.+)$/u.exec(address)?.[1];
  if (socket !== undefined) return { kind: "socket", path: socket };
  const found = /^tcp:\/\/(\[[0-9a-f:]+\]|[^:/]+)(?::(\d+))?\/?$/iu.exec(address);
  if (found === null) {
    throw new MachineError("driver-options", `--docker-host ${JSON.stringify(address)} is not unix:///PATH or tcp://HOST:PORT`);
  }
  const tls = certPath === "" ? undefined : await loadTls(certPath);
  const port = Number(found[2] ?? (tls === undefined ? plainPort : defaultEnginePort));
  return { kind: "tcp", host: (found[1] ?? "").replace(/^\[|\]$/gu, ""), port, tls };
}

async function loadTls(folder: string): Promise<ApiTls> {
  const [ca, certificate, key] = await Promise.all(
    ["ca.pem", "cert.pem", "key.pem"].map(async (name) => await readFileIfExists(path.join(folder, name))),
  );
  if (ca === undefined || certificate === undefined || key === undefined) {
    throw new MachineError("driver-options", `${folder} does not hold ca.pem, cert.pem and key.pem`, {
      hint: "Correct --docker-cert-path.",
    });
  }
  // An empty one would stand for whomever the operating system believes.
  if (certificatesIn(ca.toString("utf8")).length === 0)
    throw new MachineError("driver-options", `${path.join(folder, "ca.pem")} holds no certificate in PEM form`);
  return { ca: ca.toString("utf8"), certificate: certificate.toString("utf8"), key: key.toString("utf8") };
}

export type Reach = "address" | "ports";

/** A container's own address is known to the engine's own computer alone, and on that only where the engine runs on Linux proper. */
export function chooseReach(wanted: string, endpoint: ApiEndpoint, computer: Computer): Reach {
  if (wanted === "address" || wanted === "ports") return wanted;
  return endpoint.kind === "socket" && computer.os === "linux" ? "address" : "ports";
}

/** Address under which ports published by the engine are found. */
export function publishedAddress(endpoint: ApiEndpoint): string {
  return endpoint.kind === "tcp" ? endpoint.host : "127.0.0.1";
}
