import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fakeComputer } from "../testing/fake-computer.ts";
import { programPath } from "./program-path.ts";

const onPath = fakeComputer({ env: { PATH: "/usr/bin:/opt/bin" } });

describe("programPath", () => {
  it("is what a launcher says", () => {
    const computer = fakeComputer({ env: { DOCKER_MACHINE_ARGV0: "./docker-machine" } });
    assert.equal(programPath({ argv: ["node", "/x/bin.ts"], argv0: "node" }, computer), "./docker-machine");
  });

  it("is the bare name of a script on PATH, the path of another", () => {
    assert.equal(programPath({ argv: ["node", "/opt/bin/docker-machine"], argv0: "node" }, onPath), "docker-machine");
    assert.equal(programPath({ argv: ["node", "/home/u/docker-machine"], argv0: "node" }, onPath), "/home/u/docker-machine");
  });

  it("is what was typed of an executable", () => {
    assert.equal(
      programPath({ argv: ["bun", "/$bunfs/root/docker-machine"], argv0: "docker-machine" }, onPath),
      "docker-machine",
    );
    assert.equal(programPath({ argv: ["bun", "B:\\~BUN\\root\\dm.exe"], argv0: ".\\dm.exe" }, onPath), ".\\dm.exe");
  });

  it("follows the paths of Windows there", () => {
    const windows = fakeComputer({ os: "windows", env: { PATH: "C:\\npm;C:\\bin" } });
    assert.equal(programPath({ argv: ["node", "C:\\npm\\docker-machine"], argv0: "node" }, windows), "docker-machine");
  });
});
