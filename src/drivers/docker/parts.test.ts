import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { thisComputer } from "../../system/computer.ts";
import { capabilitySets, isCapabilityComplaint, setsAfter, wellKnown } from "./capabilities.ts";
import { containerBody, identityArchive, type ContainerWish } from "./container.ts";
import { chooseReach, openEndpoint, publishedAddress } from "./endpoint.ts";
import { isImageName } from "./image-name.ts";
import { formatIpv4, lowerHalf, upperHalf } from "./network.ts";

describe("capabilities", () => {
  test("what a process beside the engine lacks is left out in the second try", () => {
    const [all, own] = capabilitySets("CapEff:\t0000000000000000\nCapBnd:\t000001fffeffffff\n");
    assert.deepEqual(all, wellKnown);
    assert.deepEqual(
      wellKnown.filter((name) => !own?.includes(name)),
      ["SYS_RESOURCE"],
    );
  });

  test("no set is tried twice", () => {
    assert.equal(capabilitySets("CapBnd:\t000001ffffffffff\n").length, 2);
    assert.equal(capabilitySets("").length, 2);
  });

  test("one that the engine names is given up, else the set in use", () => {
    const sets = [["SYS_ADMIN", "SYS_TIME"], ["SYS_ADMIN"]];
    assert.deepEqual(setsAfter('not available in the current environment: "CAP_SYS_TIME"', sets), [["SYS_ADMIN"]]);
    assert.deepEqual(setsAfter("unable to apply caps: operation not permitted", sets), [["SYS_ADMIN"]]);
    assert.deepEqual(setsAfter('unknown capability: "CAP_BPF"', sets), [["SYS_ADMIN"]]);
  });

  test("complaints are told from other failures", () => {
    assert.ok(isCapabilityComplaint("unable to apply caps: operation not permitted"));
    assert.ok(isCapabilityComplaint("invalid CapAdd: unknown capability: CAP_BPF"));
    assert.equal(isCapabilityComplaint("no space left on device"), false);
  });
});

describe("names of images", () => {
  for (const name of [
    "debian",
    "debian:13",
    "team/host_one.two:v1.2-3",
    "registry.example:5000/team/host",
    "[2001:db8::1]:5000/host:1",
    "LOCALHOST/host",
    `host@sha256:${"0a".repeat(32)}`,
    `sha256:${"0a".repeat(32)}`,
    "0123456789ab",
  ])
    test(`${name} is one`, () => assert.equal(isImageName(name), true));

  for (const name of [
    "Debian",
    "a b",
    "-x",
    "a:",
    "a::b",
    "a/../b",
    "a?x=1",
    "../../info",
    "a\n",
    "a@sha256:12",
    `a${"b".repeat(300)}`,
  ])
    test(`${JSON.stringify(name.slice(0, 20))} is none`, () => assert.equal(isImageName(name), false));
});

describe("addresses", () => {
  test("the engine's half and ours share nothing, and neither holds the ends of the range", () => {
    assert.equal(lowerHalf("172.18.0.0/16"), "172.18.0.0/17");
    const { first, last } = upperHalf("172.18.0.0/16");
    assert.deepEqual([formatIpv4(first), formatIpv4(last)], ["172.18.128.1", "172.18.255.254"]);
    const small = upperHalf("192.168.7.0/24");
    assert.deepEqual([formatIpv4(small.first), formatIpv4(small.last)], ["192.168.7.129", "192.168.7.254"]);
  });
});

describe("endpoint", () => {
  test("is a socket, a pipe, or TCP", async () => {
    assert.deepEqual(await openEndpoint("unix:///run/d.sock", ""), { kind: "socket", path: "/run/d.sock" });
    assert.deepEqual(await openEndpoint("npipe:////./pipe/docker_engine", ""), {
      kind: "socket",
      path: "//./pipe/docker_engine",
    });
    assert.deepEqual(await openEndpoint("tcp://box:2375", ""), { kind: "tcp", host: "box", port: 2375, tls: undefined });
    assert.deepEqual(await openEndpoint("tcp://[2001:db8::1]", ""), {
      kind: "tcp",
      host: "2001:db8::1",
      port: 2375,
      tls: undefined,
    });
  });

  for (const address of ["", "ssh://me@box", "box", "tcp://", "unix://relative"]) {
    test(`refuses ${JSON.stringify(address)}`, async () => {
      await assert.rejects(openEndpoint(address, ""), (error) => isMachineError(error, "driver-options"));
    });
  }

  test("refuses TLS without its files", async () => {
    await assert.rejects(
      openEndpoint("tcp://box:2376", "/nowhere"),
      (error) => isMachineError(error, "driver-options") && /does not hold ca\.pem/u.test(error.message),
    );
  });

  test("only on the engine's own Linux a machine's address is in reach", () => {
    const here = thisComputer();
    const socket = { kind: "socket", path: "/s" } as const;
    const tcp = { kind: "tcp", host: "box", port: 2375 } as const;
    assert.equal(chooseReach("auto", socket, { ...here, os: "linux" }), "address");
    assert.equal(chooseReach("auto", socket, { ...here, os: "darwin" }), "ports");
    assert.equal(chooseReach("auto", tcp, { ...here, os: "linux" }), "ports");
    assert.equal(chooseReach("address", tcp, { ...here, os: "linux" }), "address");
    assert.deepEqual([publishedAddress(socket), publishedAddress(tcp)], ["127.0.0.1", "box"]);
  });
});

describe("container", () => {
  const wish: ContainerWish = {
    machineName: "web",
    createId: "c-1",
    image: "i",
    capabilities: ["SYS_ADMIN"],
    memoryMiB: 512,
    cpus: 1.5,
    network: "n",
    address: "10.0.0.9",
    publish: undefined,
  };

  test("is not privileged, has its own control groups and no door to the computer", () => {
    const { HostConfig } = containerBody(wish) as { HostConfig: Record<string, unknown> };
    assert.equal(HostConfig["Privileged"], undefined);
    assert.equal(HostConfig["CgroupnsMode"], "private");
    assert.deepEqual([HostConfig["Binds"], HostConfig["Mounts"], HostConfig["Devices"]], [undefined, undefined, undefined]);
    assert.deepEqual([HostConfig["Memory"], HostConfig["NanoCpus"]], [512 * 1024 * 1024, 1_500_000_000]);
  });

  test("names itself, its create and its address in labels", () => {
    const { Labels } = containerBody(wish) as { Labels: Record<string, string> };
    assert.deepEqual(Labels, {
      "docker-machine.create-id": "c-1",
      "docker-machine.name": "web",
      "docker-machine.address": "10.0.0.9",
    });
  });

  test("its keys are packed as tar reads them, with their modes", () => {
    const archive = identityArchive({
      hostKeys: [{ type: "ed25519", privateKey: "PRIVATE\n", publicKey: "ssh-ed25519 AAAA web" }],
      authorizedKeys: ["ssh-ed25519 BBBB me"],
    });
    const listed = execFileSync("tar", ["-tvf", "-", "--numeric-owner"], { input: archive }).toString();
    assert.match(listed, /^-rw------- 0\/0 +8 .* etc\/ssh\/ssh_host_ed25519_key$/mu);
    assert.match(listed, /^drwx------ 0\/0 +0 .* root\/\.ssh\/$/mu);
    assert.equal(
      execFileSync("tar", ["-xOf", "-", "root/.ssh/authorized_keys"], { input: archive }).toString(),
      "ssh-ed25519 BBBB me\n",
    );
  });
});
