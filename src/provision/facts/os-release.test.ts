import assert from "node:assert/strict";
import { test } from "node:test";
import { identifyOs, parseAssignments, type OsEvidence } from "./os-release.ts";

const nothing: OsEvidence = {
  osRelease: [],
  redhatRelease: [],
  debianVersion: [],
  alpineRelease: [],
  lsbRelease: [],
  packageManagers: [],
};

test("os-release values keep their equals signs and lose their quotes", () => {
  const values = parseAssignments([
    "# a comment",
    "ID=debian",
    'HOME_URL="https://example.org/?a=b&c=d"',
    "NAME='single quoted'",
    'PRETTY="a \\"quoted\\" \\$word"',
    "EMPTY=",
    "  SPACED=x  ",
    "not an assignment",
  ]);
  assert.deepEqual(
    [...values],
    [
      ["ID", "debian"],
      ["HOME_URL", "https://example.org/?a=b&c=d"],
      ["NAME", "single quoted"],
      ["PRETTY", 'a "quoted" $word'],
      ["EMPTY", ""],
      ["SPACED", "x"],
    ],
  );
});

test("os-release names the system, its relatives and its code name", () => {
  const os = identifyOs({
    ...nothing,
    osRelease: ['ID="rocky"', 'ID_LIKE="rhel centos fedora"', 'VERSION_ID="9.4"', 'PRETTY_NAME="Rocky Linux 9.4"'],
  });
  assert.deepEqual(
    [os.id, os.idLike, os.versionId, os.prettyName, os.source],
    ["rocky", ["rhel", "centos", "fedora"], "9.4", "Rocky Linux 9.4", "os-release"],
  );
});

test("code names are found in VERSION where VERSION_CODENAME is missing", () => {
  assert.equal(identifyOs({ ...nothing, osRelease: ["ID=debian", 'VERSION="8 (jessie)"'] }).codename, "jessie");
  assert.equal(identifyOs({ ...nothing, osRelease: ["ID=ubuntu", 'VERSION="14.04.6 LTS, Trusty Tahr"'] }).codename, "trusty");
});

const olderThanOsRelease: readonly (readonly [Partial<OsEvidence>, string, string, string])[] = [
  [{ redhatRelease: ["CentOS release 6.10 (Final)"], packageManagers: ["yum"] }, "centos", "6.10", "redhat-release"],
  [{ redhatRelease: ["Red Hat Enterprise Linux Server release 5.11 (Tikanga)"] }, "rhel", "5.11", "redhat-release"],
  [{ debianVersion: ["12.5"] }, "debian", "12", "debian-version"],
  [{ debianVersion: ["trixie/sid"] }, "debian", "", "debian-version"],
  [
    { debianVersion: ["jessie/sid"], lsbRelease: ["DISTRIB_ID=Ubuntu", "DISTRIB_RELEASE=14.04", "DISTRIB_CODENAME=trusty"] },
    "ubuntu",
    "14.04",
    "lsb-release",
  ],
  [{ alpineRelease: ["3.20.1"] }, "alpine", "3.20.1", "alpine-release"],
  [{ packageManagers: ["zypper"] }, "", "", "package-manager"],
  [{}, "", "", "nothing"],
];

for (const [evidence, id, version, source] of olderThanOsRelease) {
  test(`without os-release, ${JSON.stringify(evidence)} is ${id || "unnamed"} by ${source}`, () => {
    const os = identifyOs({ ...nothing, ...evidence });
    assert.deepEqual([os.id, os.versionId, os.source], [id, version, source]);
  });
}

test("a Debian that names only its version still has a code name", () => {
  assert.equal(identifyOs({ ...nothing, debianVersion: ["11.9"] }).codename, "bullseye");
  assert.equal(identifyOs({ ...nothing, debianVersion: ["trixie/sid"] }).codename, "trixie");
});
