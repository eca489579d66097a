import assert from "node:assert/strict";
import { test } from "node:test";
import { hostFacts } from "../../../test/support/host-facts.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { detectFamily, requireSupported } from "./detect-family.ts";

const systems: readonly (readonly [string, readonly string[], string])[] = [
  ["debian", [], "debian"],
  ["ubuntu", ["debian"], "debian"],
  ["raspbian", ["debian"], "debian"],
  ["linuxmint", ["ubuntu", "debian"], "debian"],
  ["zorin", ["ubuntu", "debian"], "debian"],
  ["rhel", ["fedora"], "redhat"],
  ["rocky", ["rhel", "centos", "fedora"], "redhat"],
  ["almalinux", ["rhel"], "redhat"],
  ["ol", ["fedora"], "redhat"],
  ["amzn", ["centos", "rhel", "fedora"], "redhat"],
  ["fedora", [], "redhat"],
  ["eurolinux", ["rhel"], "redhat"],
  ["opensuse-leap", ["suse", "opensuse"], "suse"],
  ["sles", ["suse"], "suse"],
  ["arch", [], "arch"],
  ["manjaro", ["arch"], "arch"],
  ["alpine", [], "alpine"],
  ["flatcar", ["coreos"], "flatcar"],
  ["coreos", [], "flatcar"],
  ["boot2docker", ["tcl"], "boot2docker"],
  ["photon", [], "generic-static"],
  ["", ["suse"], "suse"],
  ["", [], "generic-static"],
];

for (const [id, idLike, family] of systems) {
  test(`ID=${id || "(none)"} ID_LIKE=${idLike.join(" ")} is of the family ${family}`, () => {
    assert.equal(detectFamily(hostFacts({ os: { id, idLike } })).name, family);
  });
}

function unsupported(check: () => void): string {
  try {
    check();
  } catch (error) {
    assert.ok(isMachineError(error, "os-unsupported"));
    return error.message;
  }
  return "";
}

test("a host where no engine can run is told everything it lacks", () => {
  const facts = hostFacts({
    os: { prettyName: "CentOS release 6.10 (Final)" },
    kernel: "2.6.32-754.el6.x86_64",
    init: "none",
    cgroups: "none",
  });
  assert.equal(
    unsupported(() => requireSupported(facts, "old")),
    "old (CentOS release 6.10 (Final)) cannot run a Docker Engine: its kernel is 2.6.32-754.el6.x86_64 and the engine needs 3.10 or newer; " +
      "none of systemd, OpenRC, Upstart or SysV init runs there to start the engine; no control groups are mounted under /sys/fs/cgroup",
  );
});

test("kernels are compared by number", () => {
  for (const kernel of ["3.9.11", "2.6.32"])
    assert.match(
      unsupported(() => requireSupported(hostFacts({ kernel }), "h")),
      /3\.10 or newer/u,
    );
  for (const kernel of ["3.10.0-1160.el7", "4.4.0", "6.18.44-fc", "10.0"])
    assert.equal(
      unsupported(() => requireSupported(hostFacts({ kernel }), "h")),
      "",
    );
});

test("an engine that runs there proves that it can", () => {
  const answer = {
    serverVersion: "1.7",
    storageDriver: "aufs",
    dataRoot: "/var/lib/docker",
    liveRestore: false,
    swarmActive: false,
    holdsData: true,
  };
  requireSupported(hostFacts({ kernel: "2.6.32", engine: { answer } }), "old");
});
