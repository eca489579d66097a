/**
 * `port NAME [HOSTPORT[:PORT]…]`: shows, opens and closes ports of this computer that lead to the machine. Where its driver
 * opens none, an SSH connection carries them for as long as the command runs.
 */
import type { PublishedPort } from "../../driver-kit/driver.ts";
import { isPort, readPublishedPort } from "../../driver-kit/published-port.ts";
import { hasSshAddress } from "../../driver-kit/ssh-target.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { openHost } from "../../machine/host/open-host.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { changePorts, listPorts, type OpenPorts } from "../../machine/ports.ts";
import { tryPort } from "../../system/loopback-port.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";
import { publishedLines } from "../output/published-lines.ts";

export async function run({ options, args: [name = "", ...texts] }: Invocation, context: CliContext): Promise<number> {
  const asked = texts.map(readPort);
  const close = options.strings("close").map(readNumber);
  const machineContext = openContext(context);
  const isQuestion = asked.length + close.length === 0;
  const open = isQuestion
    ? await listPorts(machineContext, name)
    : await changePorts(machineContext, name, { open: asked, close }, context.signal);
  if (open !== undefined) {
    show(name, open, context);
    return 0;
  }
  if (isQuestion || close.length > 0) throw await carriedBySsh(machineContext, name);
  return await carry(machineContext, name, asked, context);
}

function show(name: string, { ports, published }: OpenPorts, context: CliContext): void {
  if (context.globals.output === "json") return context.printJson({ name, ports, published });
  const ofContainers = published?.ports ?? [];
  if (ports.length + ofContainers.length === 0) context.print("No port of this computer leads to it.");
  for (const { hostAddress, hostPort, machinePort, protocol } of ports)
    context.print(`${hostAddress}:${hostPort} -> ${machinePort}/${protocol}`);
  for (const line of publishedLines(published)) context.print(line);
}

function readPort(text: string): PublishedPort {
  const port = readPublishedPort(text);
  if (port !== undefined) return port;
  throw new MachineError("usage", `${JSON.stringify(text)} is no port`, {
    hint: "Give it as 8080:80, or 127.0.0.1:8080:80, or 53:53/udp.",
  });
}

function readNumber(text: string): number {
  if (isPort(Number(text))) return Number(text);
  throw new MachineError("usage", `--close ${JSON.stringify(text)} is no port`, {
    hint: "Give the number on this computer: 8080.",
  });
}

async function carriedBySsh(machineContext: MachineContext, name: string): Promise<MachineError> {
  await using host = await openHost(machineContext, name);
  return new MachineError("driver-unsupported", `"${name}" has no ports of its own on this computer`, {
    hint: (await hasSshAddress(host.driver))
      ? `An SSH connection carries ports for as long as the command runs that asks for them, and ending that closes them: docker-machine port ${name} 8080:80`
      : "Its services are where its engine is, and no SSH address is known that could carry them here.",
  });
}

/** Until it is interrupted. */
async function carry(
  machineContext: MachineContext,
  name: string,
  ports: readonly PublishedPort[],
  context: CliContext,
): Promise<number> {
  const udp = ports.find(({ protocol }) => protocol === "udp");
  if (udp !== undefined)
    throw new MachineError("driver-unsupported", `SSH carries no UDP: port ${udp.hostPort} of "${name}" cannot be had`);
  for (const { hostAddress, hostPort } of ports) {
    const verdict = await tryPort({ protocol: "tcp", address: hostAddress, port: hostPort });
    if (verdict !== "free")
      throw new MachineError("port-taken", `Port ${hostPort} at ${hostAddress} cannot be had: ${verdict}`, {
        hint: "Choose another: 18080:80.",
      });
  }
  await using host = await openHost(machineContext, name);
  await using ssh = await host.openSsh();
  await ssh.connect(context.signal);
  const forwards = ports.flatMap(({ hostAddress, hostPort, machinePort }) => [
    "-L",
    `${hostAddress}:${hostPort}:127.0.0.1:${machinePort}`,
  ]);
  for (const { hostAddress, hostPort, machinePort } of ports)
    context.report({
      type: "log",
      level: "info",
      text: `${hostAddress}:${hostPort} leads to port ${machinePort} of "${name}" until this is interrupted.`,
    });
  const flags = ["-N", "-o", "ExitOnForwardFailure=yes", ...forwards];
  return await ssh.session({ command: undefined, sshFlags: flags, terminal: "no", signal: context.signal });
}
