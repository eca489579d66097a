/**
 * Classic swarm: the two containers that 0.16.2 starts beside the engine. Kept for those who still have the image;
 * swarm mode, built into the engine, is the successor. Pure.
 */
import { classicSwarmPort, swarmPortOf } from "../../engine/engine-address.ts";
import { certificateFiles } from "./engine-settings.ts";
import type { ProvisionRequest, SwarmRequest } from "../provision-request.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";

export interface SwarmContainer {
  readonly name: "swarm-agent-master" | "swarm-agent";
  readonly image: string;
  /** `docker run` flags before the image. */
  readonly flags: readonly string[];
  readonly command: readonly string[];
}

export function swarmContainers(request: ProvisionRequest, certificateFolder: string): readonly SwarmContainer[] {
  const { swarm } = request;
  if (swarm === undefined) return [];
  return [
    ...(swarm.master ? [masterContainer(request, swarm, certificateFolder)] : []),
    ...(swarm.agent ? [agentContainer(request, swarm)] : []),
  ];
}

function masterContainer(request: ProvisionRequest, swarm: SwarmRequest, folder: string): SwarmContainer {
  const port = swarmPortOf(swarm.host);
  return {
    name: "swarm-agent-master",
    image: swarm.image,
    flags: ["--restart=always", "-p", `${port}:${port}`, "-v", `${folder}:${folder}`],
    command: [
      ...(swarm.experimental ? ["--experimental"] : []),
      "manage",
      "--tlsverify",
      `--tlscacert=${folder}/${certificateFiles.ca}`,
      `--tlscert=${folder}/${certificateFiles.certificate}`,
      `--tlskey=${folder}/${certificateFiles.key}`,
      "-H",
      swarm.host,
      "--strategy",
      swarm.strategy,
      "--advertise",
      `${request.address}:${classicSwarmPort}`,
      ...swarm.options.map((option) => `--${option}`),
      swarm.discovery,
    ],
  };
}

function agentContainer(request: ProvisionRequest, swarm: SwarmRequest): SwarmContainer {
  return {
    name: "swarm-agent",
    image: swarm.image,
    flags: ["--restart=always"],
    command: [
      "join",
      "--advertise",
      agentAddress(request, swarm),
      ...swarm.joinOptions.map((option) => `--${option}`),
      swarm.discovery,
    ],
  };
}

/** `--swarm-addr`, with the engine's port where it names none. */
function agentAddress(request: ProvisionRequest, swarm: SwarmRequest): string {
  const address = swarm.address === "" ? request.address : swarm.address;
  return /:\d+$/u.test(address) ? address : `${address}:${request.engine.port}`;
}

/** Starts what does not run as wanted; without the image it says so and leaves it. */
export function swarmScript(containers: readonly SwarmContainer[]): ShellText | undefined {
  if (containers.length === 0) return undefined;
  return joinLines(sh`phase configuring-swarm`, ...containers.map(containerScript));
}

function containerScript(container: SwarmContainer): ShellText {
  const wanted = `${container.image} ${JSON.stringify(container.command)}`;
  return sh`
if ! "$docker" image inspect ${container.image} > /dev/null 2>&1; then
  note warn ${`The image ${container.image} is not on the machine: ${container.name} is not started`}
elif [ "$("$docker" inspect -f '{{.Config.Image}} {{json .Config.Cmd}}' ${container.name} 2> /dev/null)" = ${wanted} ]; then
  "$docker" start ${container.name} > /dev/null
else
  "$docker" rm -f ${container.name} > /dev/null 2>&1
  "$docker" run -d --name ${container.name} ${container.flags} ${container.image} ${container.command} > /dev/null || fail remote-command ${`The container ${container.name} does not start`}
fi`;
}
