/** A real docker client, led to a machine as its users' shells are. */
import assert from "node:assert/strict";
import type { LabHost } from "../lab/lab.ts";
import { tinyImageTar } from "../lab/tiny-image.ts";
import { tinyImage } from "../support/tiny-image.ts";
import { output, type Program } from "./program.ts";

export type DockerEnvironment = Readonly<Record<string, string>>;

/** What `eval $(docker-machine env web)` gives a shell. */
export async function dockerEnvironment(
  program: Program,
  env: Readonly<Record<string, string>> = {},
): Promise<DockerEnvironment> {
  const script = `eval "$(cat)"; env | grep ^DOCKER_`;
  const lines = await output("bash", ["-c", script], { stdin: await program.ok(["env", "web"], { env }) });
  return Object.fromEntries(
    lines
      .trim()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
}

/** Brings an image, and runs a container of it to its end. @param host one that has the image; made here unless told */
export async function runContainer(docker: DockerEnvironment, host?: LabHost): Promise<void> {
  const tiny = host === undefined ? await tinyImage() : Buffer.from(await host.sh(`base64 -w0 ${tinyImageTar}`), "base64");
  await output("docker", ["import", "-", "tiny"], { env: docker, stdin: tiny });
  assert.equal(await output("docker", ["run", "--rm", "tiny", "echo", "it-works"], { env: docker }), "it-works\n");
}
