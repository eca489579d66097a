/** What each package manager foretells of an installation, in the words of its own simulation, and that it keeps to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apk, apt, dnf, pacman, runManager as run, yum, zypper } from "../../../test/support/package-managers.ts";
import { StandIns } from "../../../test/support/stand-ins.ts";
import { sh } from "../shell/shell-text.ts";
import type { PackageManager } from "./package-manager.ts";

interface Preview {
  readonly manager: PackageManager;
  readonly program: string;
  /** What the simulation prints, and the status it ends with. */
  readonly output: string;
  readonly status?: number;
  readonly lines: readonly string[];
}

const aptSimulation = `NOTE: This is only a simulation!
Reading package lists...
The following packages will be REMOVED:
  podman-docker
The following held packages will be changed:
  libc6 containerd
The following packages will be upgraded:
  containerd
Remv podman-docker [4.3.1+ds1-8+deb12u1+b1]
Inst containerd [1.6.20~ds1-1] (1.6.20~ds1-1+deb12u3 Debian:12.9/oldstable [amd64])
Inst docker.io (20.10.24+dfsg1-1+deb12u1+b6 Debian:12.9/oldstable [amd64])
Conf containerd (1.6.20~ds1-1+deb12u3 Debian:12.9/oldstable [amd64])`;

const dnfTable = `Dependencies resolved.
================================================================================
 Package                   Arch    Version             Repository          Size
================================================================================
Installing:
 containerd.io             x86_64  1.7.27-3.1.el9      docker-ce-stable    44 M
     replacing  runc.x86_64 4:1.1.12-2.el9
 docker-ce                 x86_64  3:27.3.1-1.el9      docker-ce-stable    27 M
Installing dependencies:
 a-package-with-a-name-that-is-too-long
                           noarch  1.0-1.el9           baseos              10 k
Upgrading:
 libcgroup                 x86_64  0.42-1.el9          baseos              70 k
Removing dependent packages:
 podman-docker             noarch  2:4.9.4-1.el9       @appstream         226 k

Transaction Summary
================================================================================
Install  3 Packages
Operation aborted.`;

const dnf5Table = `Updating and loading repositories:
Package                   Arch   Version          Repository      Size
Installing:
 moby-engine              x86_64 27.3.1-2.fc41    fedora      96.5 MiB
   replacing podman-docker noarch 5:5.2.2-1.fc41  updates      1.6 KiB
Upgrading:
 container-selinux        noarch 4:2.240-1.fc41   updates     60.2 KiB
   replacing container-selinux noarch 4:2.233-1.fc41 fedora   59.0 KiB

Transaction Summary:
 Installing:         1 package
Operation aborted by the user.`;

const zypperXml = `<?xml version='1.0'?>
<stream>
<message type="info">Resolving package dependencies...</message>
<install-summary download-size="1" space-usage-diff="2" packages-to-change="3">
<to-upgrade><solvable type="package" name="runc" edition="1.2.6-1" arch="x86_64" edition-old="1.1.14-1" arch-old="x86_64"/></to-upgrade>
<to-install>
<solvable type="package" name="docker" edition="27.5.1_ce-1" arch="x86_64" repository="Main" summary="The Moby-project Linux container runtime"/>
<solvable type="patch" name="openSUSE-2025" edition="1" arch="noarch"/>
</to-install>
<to-remove>
<solvable type="package" name="podman-docker" edition="4.9.5-1" arch="noarch"/>
</to-remove>
</install-summary>
</stream>`;

const previews: readonly Preview[] = [
  {
    manager: apt,
    program: "apt-get",
    output: aptSimulation,
    lines: [
      "held libc6",
      "held containerd",
      "remove podman-docker 4.3.1+ds1-8+deb12u1+b1",
      "replace containerd 1.6.20~ds1-1 1.6.20~ds1-1+deb12u3",
      "install docker.io 20.10.24+dfsg1-1+deb12u1+b6",
    ],
  },
  ...([dnf, yum] as const).map((manager) => ({
    manager,
    program: manager.name,
    output: dnfTable,
    status: 1,
    lines: [
      "install containerd.io 1.7.27-3.1.el9",
      "remove runc 4:1.1.12-2.el9",
      "install docker-ce 3:27.3.1-1.el9",
      "install a-package-with-a-name-that-is-too-long 1.0-1.el9",
      "replace libcgroup - 0.42-1.el9",
      "remove podman-docker 2:4.9.4-1.el9",
    ],
  })),
  {
    manager: dnf,
    program: "dnf",
    output: dnf5Table,
    status: 1,
    lines: [
      "install moby-engine 27.3.1-2.fc41",
      "remove podman-docker 5:5.2.2-1.fc41",
      "replace container-selinux - 4:2.240-1.fc41",
    ],
  },
  {
    manager: zypper,
    program: "zypper",
    output: zypperXml,
    lines: ["replace runc 1.1.14-1 1.2.6-1", "install docker 27.5.1_ce-1", "remove podman-docker 4.9.5-1"],
  },
  {
    manager: apk,
    program: "apk",
    output:
      "(1/3) Purging podman-docker (5.3.1-r0)\n(2/3) Upgrading runc (1.1.12-r0 -> 1.2.3-r0)\n(3/3) Installing docker (27.3.1-r1)\nOK: 9 MiB in 3 packages",
    lines: ["remove podman-docker 5.3.1-r0", "replace runc 1.1.12-r0 1.2.3-r0", "install docker 27.3.1-r1"],
  },
];
for (const { manager, program, output, status = 0, lines } of previews) {
  test(`${program}'s simulation is read: ${lines[0]}`, async () => {
    using standIns = new StandIns().add(program, `cat << 'END'\n${output}\nEND\nexit ${status}`);
    const { facts } = await run(standIns, manager, previewed);
    assert.deepEqual(facts("line"), lines);
  });
}

const previewed = sh`pkg_preview docker > "$managed_log" || printf '@fact\tfailed\tyes\n'
while IFS= read -r line; do printf '@fact\tline\t%s\n' "$line"; done < "$managed_log"`;

/** As the real one asks: it ends where nobody answers, and has installed where somebody says "yes" to the last question. */
const pacmanQuestions = `case $1 in -Q) printf 'podman-docker 5.3.1-1\\nrunc 1.1.0-1\\n'; exit ;; esac
case $* in *--dbpath*) ;; *) echo 'error: unresolvable package conflicts detected'; exit 1 ;; esac
printf ':: docker and podman-docker are in conflict. Remove podman-docker? [y/N] '
read answer || { echo 'error: unresolvable package conflicts detected'; exit 1; }
printf '\\nPackages (3) podman-docker-5.3.1-1 [removal]  runc-1.2.3-1\\n             docker-1:27.3.1-1\\n\\n:: Proceed with installation? [Y/n] '
read answer && echo "and was told to go on" >&2; exit 1`;

test("pacman's own questions tell what it would remove, and it is never told to go on", async () => {
  using standIns = new StandIns().add("pacman", pacmanQuestions);
  const { facts, calls } = await run(standIns, pacman, previewed);
  assert.deepEqual(facts("line"), ["remove podman-docker 5.3.1-1", "replace runc 1.1.0-1 1.2.3-1", "install docker 1:27.3.1-1"]);
  assert.equal(calls.filter((call) => call.startsWith("pacman -S")).length, 2);
});

test("what RPM's users have locked is told, also where a lock keeps a newer package from view", async () => {
  using standIns = new StandIns()
    .add("sed", 'case $* in *versionlock*) echo runc ;; *) exec /bin/sed "$@" ;; esac')
    .add(
      "dnf",
      `case $* in *disableplugin*) ;; *) echo 'Error: Unable to find a match: containerd.io'; exit 1 ;; esac\ncat << 'END'\n${dnfTable}\nEND\nexit 1`,
    );
  const { facts } = await run(standIns, dnf, previewed);
  assert.deepEqual(facts("line").slice(0, 3), [
    "install containerd.io 1.7.27-3.1.el9",
    "remove runc 4:1.1.12-2.el9",
    "held runc",
  ]);
});

test("a lock that zypper's solution names is told", async () => {
  const prompt = `<description>Problem: podman-docker-4:4.9.4-1.noarch conflicts with docker provided by docker-20.10.24_ce-1.x86_64
 Solution 1: remove lock to allow removal of podman-docker-4:4.9.4-1.noarch
 Solution 2: do not install docker-20.10.24_ce-1.x86_64
</description>`;
  using standIns = new StandIns().add("zypper", `cat << 'END'\n${prompt}\nEND\nexit 4`);
  assert.deepEqual((await run(standIns, zypper, previewed)).facts("line"), ["held podman-docker"]);
});

for (const [manager, program] of [
  [apt, "apt-get"],
  [dnf, "dnf"],
  [zypper, "zypper"],
  [pacman, "pacman"],
  [apk, "apk"],
] as const) {
  test(`a simulation that ${program} refuses tells nothing`, async () => {
    using standIns = new StandIns().add(program, "echo 'E: Unable to locate package docker'; exit 100");
    const { facts } = await run(standIns, manager, previewed);
    assert.deepEqual([facts("line"), facts("failed")], [[], ["yes"]]);
  });
}

const simulates = /-s |--assumeno|--dry-run|--print|--simulate|--dbpath|pacman -Q/u;
/** Those that can be told to take nothing away are told, in the fourth column; the others are asked before. */
const takesAway: readonly (readonly [PackageManager, string, string, RegExp?])[] = [
  [
    apt,
    "apt-get",
    "case $* in *' -s '*) echo 'Remv podman-docker [4.3.1]' ;; *) echo 'E: Packages need to be removed but remove is disabled.'; exit 100 ;; esac",
    / --no-remove /u,
  ],
  [
    dnf,
    "dnf",
    `case $* in *--assumeno*) ;; *) echo ' Problem: The operation would result in removing the following protected packages: podman-docker'; exit 1 ;; esac
cat << 'END'\n${dnfTable}\nEND\nexit 1`,
    / --setopt=protected_packages=glob:\S+\.protected /u,
  ],
  [yum, "yum", `cat << 'END'\n${dnfTable}\nEND\nexit 1`],
  [zypper, "zypper", `cat << 'END'\n${zypperXml}\nEND`],
  [pacman, "pacman", pacmanQuestions, /^pacman -S --noconfirm --needed docker/u],
  [apk, "apk", "echo '(1/1) Purging podman-docker (5.3.1-r0)'"],
];
for (const [manager, program, body, keeping] of takesAway) {
  for (const words of [sh`pkg_install docker`, sh`pkg_upgrade docker-1.2-1`]) {
    test(`${program} takes nothing away that its owner did not give: ${words.text}`, async () => {
      using standIns = new StandIns().add(program, body).add("rpm");
      const { calls, error } = await run(standIns, manager, words, undefined, false);
      assert.equal(error?.code, "package-removal");
      assert.match(error.message, /^Installing docker\S* on web would remove what is there: .*podman-docker/u);
      assert.match(error.hint ?? "", /--engine-allow-removal/u);
      const earnest = calls.filter((call) => !call.startsWith("rpm ") && !simulates.test(call));
      assert.equal(earnest.length, keeping === undefined ? 0 : 1, calls.join("\n"));
      assert.ok(keeping === undefined || keeping.test(earnest[0] ?? ""), earnest[0]);
    });
  }
}

/** A forecast and, for it, an installation, of a host whose packages are `state` at the time. */
const foretold = (state: string, words: string) => sh`pkg_state() { echo ${state}; }
foretold_words=${words}; foretold_state=as-seen`;

for (const [state, simulations] of [
  ["as-seen", 0],
  ["another", 1],
] as const) {
  test(`zypper ${simulations === 0 ? "does what was foretold of a host" : "is asked again about a host"} that is ${state}`, async () => {
    using standIns = new StandIns().add("zypper").add("rpm");
    const { calls } = await run(standIns, zypper, sh`${foretold(state, "docker")}; pkg_install docker`, undefined, false);
    const asked = calls.filter((call) => call.startsWith("zypper "));
    assert.equal(asked.filter((call) => call.includes("--dry-run")).length, simulations);
    assert.equal(asked.at(-1), `zypper -n -q${simulations === 0 ? " --no-refresh" : ""} install --no-recommends docker`);
  });
}

test("dnf is not asked beforehand which of the packages that may be missing it has", async () => {
  const missing = "No match for argument: docker-compose-plugin\nError: Unable to find a match: docker-compose-plugin";
  using standIns = new StandIns().add("dnf", `case $* in *compose*) echo '${missing}'; exit 1 ;; esac`);
  const words = sh`optional='containerd.io docker-compose-plugin'; pkg_install docker-ce $(pkg_offered $optional)`;
  const { calls, error } = await run(standIns, dnf, words);
  assert.equal(error, undefined);
  assert.deepEqual(
    calls.filter((call) => call.startsWith("dnf ")).map((call) => call.replace(/.* install /u, "")),
    ["docker-ce containerd.io docker-compose-plugin", "docker-ce containerd.io"],
  );
});

test("a package that may not be missing is not left out", async () => {
  using standIns = new StandIns().add("dnf", "echo 'No match for argument: docker-ce'; exit 1");
  const { calls, error } = await run(standIns, dnf, sh`optional=containerd.io; pkg_install docker-ce containerd.io`);
  assert.match(error?.message ?? "", /^dnf could not install docker-ce containerd\.io on web/u);
  assert.equal(calls.filter((call) => call.startsWith("dnf ")).length, 1);
});

test("what made room comes back in its versions where they can be had", async () => {
  using standIns = new StandIns()
    .add("apt-get")
    .add("apt-cache", `[ "$2" = runc ] && echo ' runc | 1.1.5+ds1-1 | http://m bookworm/main amd64 Packages'`);
  const { calls } = await run(
    standIns,
    apt,
    sh`pkg_put_back << 'END'
runc 1.1.5+ds1-1
podman-docker 4.3.1
END`,
  );
  assert.match(calls.at(-1) ?? "", / install runc=1\.1\.5\+ds1-1 podman-docker$/u);
});

for (const [manager, program] of [
  [pacman, "pacman"],
  [apk, "apk"],
] as const) {
  test(`${program} is not asked what it would do before it has lists that name the engine`, async () => {
    using standIns = new StandIns().add(program, "exit 1");
    const body = sh`
fail() { printf '@fact\treason\t%s\n' "$2"; finish_run; end; exit 0; }
pkg_try_in "$managed_log"
pkg_available docker || pkg_refresh
pkg_preview docker`;
    const { facts, calls } = await run(standIns, manager, body);
    assert.match(facts("reason")[0] ?? "", /^what is to be installed is not in its lists of packages/u);
    assert.equal(calls.filter((call) => call.startsWith(`${program} `)).length, 1);
  });
}

test("dnf knows a source that is not the host's yet where it lies", async () => {
  using standIns = new StandIns().add("dnf");
  const { calls } = await run(
    standIns,
    dnf,
    sh`
room=$(mktemp -d); touch "$room/docker-ce.repo"
pkg_try_in "$room" "$room/docker-ce.repo"
pkg_available docker-ce
rm -r "$room"`,
  );
  assert.match(calls[0] ?? "", /--setopt=reposdir=\/etc\/yum\.repos\.d,\/\S+ list available docker-ce$/u);
});
