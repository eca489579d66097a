import assert from "node:assert/strict";
import { test } from "node:test";
import { provisionRequest } from "../../../test/support/host-facts.ts";
import { runShell } from "../../../test/support/shells.ts";
import { StandIns } from "../../../test/support/stand-ins.ts";
import { answering } from "../shell/script-protocol.ts";
import type { SwarmRequest } from "../provision-request.ts";
import { joinLines, sh } from "../shell/shell-text.ts";
import { swarmContainers, swarmScript } from "./classic-swarm.ts";

const swarm: SwarmRequest = {
  master: true,
  agent: true,
  discovery: "token://abc",
  image: "swarm:latest",
  strategy: "spread",
  host: "tcp://0.0.0.0:3376",
  address: "",
  experimental: false,
  options: ["heartbeat=5"],
  joinOptions: ["ttl=10"],
};

const containersOf = (overrides: Partial<SwarmRequest> = {}): ReturnType<typeof swarmContainers> =>
  swarmContainers(provisionRequest({ swarm: { ...swarm, ...overrides } }), "/etc/docker");

test("the containers are those that 0.16.2 starts", () => {
  const [master, agent] = containersOf();
  assert.deepEqual(master?.flags, ["--restart=always", "-p", "3376:3376", "-v", "/etc/docker:/etc/docker"]);
  assert.equal(
    master?.command.join(" "),
    "manage --tlsverify --tlscacert=/etc/docker/ca.pem --tlscert=/etc/docker/server.pem --tlskey=/etc/docker/server-key.pem " +
      "-H tcp://0.0.0.0:3376 --strategy spread --advertise 192.0.2.7:3376 --heartbeat=5 token://abc",
  );
  assert.equal(agent?.command.join(" "), "join --advertise 192.0.2.7:2376 --ttl=10 token://abc");
});

test("who is what follows from the flags", () => {
  assert.deepEqual(
    containersOf({ master: false }).map((container) => container.name),
    ["swarm-agent"],
  );
  assert.deepEqual(
    containersOf({ agent: false }).map((container) => container.name),
    ["swarm-agent-master"],
  );
  assert.equal(containersOf({ experimental: true })[0]?.command[0], "--experimental");
  assert.equal(containersOf({ host: "tcp://0.0.0.0:4000" })[0]?.flags[2], "4000:4000");
  assert.equal(containersOf({ address: "10.0.0.9" })[1]?.command[2], "10.0.0.9:2376");
  assert.equal(containersOf({ address: "10.0.0.9:1" })[1]?.command[2], "10.0.0.9:1");
});

test("no swarm, no script", () => {
  assert.equal(swarmScript(swarmContainers(provisionRequest(), "/etc/docker")), undefined);
});

function run(docker: string): { calls: readonly string[]; stdout: string } {
  using standIns = new StandIns().add("docker", docker);
  const script = joinLines(answering, sh`docker=docker`, swarmScript(containersOf({ master: false })));
  const { stdout } = runShell(["sh"], script.text, "", { PATH: `${standIns.folder}:${process.env["PATH"]}` });
  return { calls: standIns.calls, stdout };
}

const runs = (calls: readonly string[]): readonly string[] => calls.filter((call) => call.startsWith("docker run"));
const sameCommand = `case $1 in inspect) printf 'swarm:latest ["join","--advertise","192.0.2.7:2376","--ttl=10","token://abc"]\\n' ;; esac`;

test("without the image nothing is started, and that is said", () => {
  const { calls, stdout } = run('[ "$1" = image ] && exit 1');
  assert.deepEqual(runs(calls), []);
  assert.match(stdout, /@note\twarn\tThe image swarm:latest is not on the machine: swarm-agent is not started/u);
});

test("a container that runs as wanted stays, another one is replaced", () => {
  assert.deepEqual(runs(run(sameCommand).calls), []);
  const { calls } = run("");
  assert.ok(calls.includes("docker rm -f swarm-agent"));
  assert.deepEqual(runs(calls), [
    "docker run -d --name swarm-agent --restart=always swarm:latest join --advertise 192.0.2.7:2376 --ttl=10 token://abc",
  ]);
});
