/** The command lines of every package manager, by programs that stand in for them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { apk, apt, dnf, pacman, runManager as run, yum, zypper } from "../../../test/support/package-managers.ts";
import { StandIns } from "../../../test/support/stand-ins.ts";
import { sh } from "../shell/shell-text.ts";
import type { PackageManager } from "./package-manager.ts";

const installs: readonly (readonly [PackageManager, string, readonly string[]])[] = [
  [
    apt,
    "apt-get",
    [
      "apt-get -q -y --no-install-recommends -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold install docker.io docker-cli",
    ],
  ],
  [
    dnf,
    "dnf",
    ["dnf -y --setopt=exit_on_lock=True --setopt=install_weak_deps=False --allowerasing install docker.io docker-cli"],
  ],
  [yum, "yum", ["yum -y --setopt=exit_on_lock=True install docker.io docker-cli"]],
  [zypper, "zypper", ["zypper -n -q install --no-recommends --force-resolution docker.io docker-cli"]],
  [pacman, "pacman", ["pacman -S --noconfirm --needed --ask 4 docker.io docker-cli"]],
  [apk, "apk", ["apk add docker.io docker-cli"]],
];

for (const [manager, program, calls] of installs) {
  test(`${program} installs what is asked for and upgrades nothing else`, async () => {
    using standIns = new StandIns().add(program);
    assert.deepEqual((await run(standIns, manager, sh`pkg_install docker.io docker-cli`)).calls, calls);
  });

  test(`${program}'s own explanation is in the error when it fails`, async () => {
    using standIns = new StandIns().add(program, "echo 'E: something is broken: docker-ce conflicts with podman-docker'; exit 1");
    const { error } = await run(standIns, manager, sh`pkg_install docker-ce`);
    assert.equal(error?.code, "package-manager");
    assert.match(error.message, /could not install docker-ce on web:\nE: something is broken/u);
    assert.match(error.hint ?? "", /Resolve the conflict/u);
  });
}

const upgrades: readonly (readonly [PackageManager, string, readonly string[]])[] = [
  [
    dnf,
    "dnf",
    [
      "dnf -y --setopt=exit_on_lock=True --setopt=install_weak_deps=False --allowerasing --best install docker-ce docker-ce-cli-27.3.1-1.el9",
    ],
  ],
  [zypper, "zypper", ["zypper -n -q install --no-recommends --force-resolution docker-ce docker-ce-cli-27.3.1-1.el9"]],
  [apk, "apk", ["apk add -u docker-ce docker-ce-cli-27.3.1-1.el9"]],
];
for (const [manager, program, calls] of upgrades) {
  test(`${program} brings named packages up to date`, async () => {
    using standIns = new StandIns().add(program);
    assert.deepEqual((await run(standIns, manager, sh`pkg_upgrade docker-ce docker-ce-cli-27.3.1-1.el9`)).calls, calls);
  });
}

test("what zypper reports beside what it has done is no failure", async () => {
  for (const status of [102, 103, 106]) {
    using standIns = new StandIns().add("zypper", `exit ${status}`);
    assert.equal((await run(standIns, zypper, sh`pkg_install docker`)).error, undefined);
  }
  using standIns = new StandIns().add("zypper", "exit 104");
  assert.equal((await run(standIns, zypper, sh`pkg_install docker`)).error?.code, "package-manager");
});

const locks: readonly (readonly [PackageManager, string, string])[] = [
  [apt, "apt-get", "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77 (apt-get)"],
  [dnf, "dnf", "Waiting for process with pid 77 to finish. exiting because exit_on_lock is set"],
  [yum, "yum", "Another app is currently holding the yum lock; exiting as configured by exit_on_lock"],
  [zypper, "zypper", "System management is locked by the application with pid 77 (zypper)."],
  [pacman, "pacman", "error: failed to synchronize all databases (unable to lock database)"],
  [apk, "apk", "ERROR: Unable to lock database: temporarily unavailable"],
];
for (const [manager, program, message] of locks) {
  test(`a lock that another process holds is waited for, as ${program} tells it`, async () => {
    using standIns = new StandIns().add(program, `[ "$calls" -le 2 ] && { echo '${message}'; exit 100; }; exit 0`).add("sleep");
    const { calls, events, error } = await run(standIns, manager, sh`pkg_install docker`);
    assert.equal(error, undefined);
    assert.equal(calls.filter((call) => call.startsWith(`${program} `)).length, 3);
    const waits = events.filter((event) => event.type === "log" && event.level === "info");
    assert.equal(waits.length, 1);
  });
}

test("a key that rpm cannot take while another is at work is given to it again", async () => {
  const refusal = "error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)";
  using standIns = new StandIns()
    .add("rpm", `case $1 in --import) [ "$calls" -le 2 ] && { echo "${refusal}"; exit 1; } ;; esac; exit 0`)
    .add("sleep");
  const { error, events } = await run(standIns, dnf, sh`pkg_trust /etc/key`);
  assert.equal(error, undefined);
  assert.equal(events.filter((event) => event.type === "log" && event.level === "info").length, 1);
});

test("a lock that is never given back is an error after the bound, and says who holds it", async () => {
  using standIns = new StandIns().add("apt-get", `echo '${locks[0]?.[2]}'; exit 100`).add("sleep");
  const { error, calls } = await run(standIns, apt, sh`pkg_install docker.io`, 6_000);
  assert.equal(error?.code, "package-manager");
  assert.match(error.message, /was locked by another process for 6 s:\n.*held by process 77 \(apt-get\)/u);
  assert.equal(calls.filter((call) => call === "sleep 2").length, 3);
});

for (const complaint of [
  "E: Failed to fetch http://m/x.deb  404  Not Found",
  " docker-ce : Depends: iptables but it is not installable",
])
  test(`apt's lists are brought up to date where they lack what is there: ${complaint}`, async () => {
    using standIns = new StandIns().add("apt-get", `case $*:$calls in *install*:1) echo '${complaint}'; exit 100 ;; esac`);
    const { calls, error } = await run(standIns, apt, sh`pkg_install docker.io`);
    assert.equal(error, undefined);
    assert.deepEqual(
      calls.map((call) => call.split(" ").at(-1) === "update"),
      [false, true, false],
    );
  });

const staleLists: readonly (readonly [PackageManager, string, string])[] = [
  [apt, "apt-get", "echo 'W: Failed to fetch http://m/InRelease  Could not connect to m:80'; exit 0"],
  [apt, "apt-get", "echo 'W: Some index files failed to download. They have been ignored, or old ones used instead.'; exit 0"],
  [apt, "apt-get", "echo 'E: The repository does not have a Release file.'; exit 100"],
  [zypper, "zypper", "exit 4"],
  [pacman, "pacman", "echo 'error: failed to synchronize all databases'; exit 1"],
  [apk, "apk", "echo '1 unavailable, 0 stale'; exit 1"],
];
for (const [manager, program, does] of staleLists) {
  test(`lists that were not brought up to date are not taken for fresh ones: ${program}: ${does}`, async () => {
    using standIns = new StandIns().add(program, does);
    const verdict = sh`pkg_refresh && note info fresh; :`;
    const { events } = await run(standIns, manager, verdict);
    assert.ok(!events.some((event) => event.type === "log" && event.level === "info"), JSON.stringify(events));
    using good = new StandIns().add(program, "echo 'W: Something else'");
    const fresh = await run(good, manager, verdict);
    assert.ok(
      fresh.events.some((event) => event.type === "log" && event.level === "info"),
      JSON.stringify(fresh.events),
    );
  });
}

test("a dpkg run that we left in the middle is gone on with; a stranger's is not", async () => {
  using ours = new StandIns().add("apt-get").add("dpkg");
  assert.equal((await run(ours, apt, sh`continued=yes; pkg_install docker.io`)).calls[0], "dpkg --configure -a");
  using theirs = new StandIns()
    .add(
      "apt-get",
      "echo \"E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.\"; exit 100",
    )
    .add("dpkg");
  const { error, calls } = await run(theirs, apt, sh`pkg_install docker.io`);
  assert.ok(!calls.some((call) => call.startsWith("dpkg ")));
  assert.match(error?.hint ?? "", /sudo dpkg --configure -a/u);
});

test("a full disk is named with its file system, whatever the manager says", async () => {
  using standIns = new StandIns()
    .add("apt-get", "echo 'dpkg: error processing archive x.deb (--unpack): cannot copy: No space left on device'; exit 100")
    .add("df", "printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\\n/dev/vdb1 1000000 1000000 0 100%% /var\\n'");
  const { error } = await run(standIns, apt, sh`pkg_install docker.io`);
  assert.equal(error?.code, "disk-full");
  assert.equal(error.message, "There is no space left on /dev/vdb1 (mounted on /var, 0 MiB free) of web");
});

/** In the words of real ones with a tight /usr/bin. */
const fullDisks: readonly (readonly [PackageManager, string, string])[] = [
  [
    dnf,
    "dnf",
    "Error Summary\n-------------\nDisk Requirements:\n   At least 185MB more space needed on the /usr/bin filesystem.",
  ],
  [
    zypper,
    "zypper",
    "\tinstalling package docker-20.10.24_ce-150600.1.1.x86_64 needs 94MB more space on the /usr/bin filesystem",
  ],
  [
    pacman,
    "pacman",
    "error: Partition /usr/bin too full: 32458 blocks needed, 7905 blocks free\nerror: failed to commit transaction (not enough free disk space)",
  ],
];
for (const [manager, program, words] of fullDisks) {
  test(`the folder that ${program} has no space for is named`, async () => {
    using standIns = new StandIns().add(program, `cat << 'END'\n${words}\nEND\nexit 1`).add("df", "true");
    const { error } = await run(standIns, manager, sh`pkg_install docker`);
    assert.equal(error?.code, "disk-full");
    assert.equal(error.message, "There is no space left on /usr/bin of web");
  });
}

const madison =
  " docker-ce | 5:27.3.10-1~debian.12~bookworm | https://d bookworm/stable amd64 Packages\n docker-ce | 5:27.3.1-1~debian.12~bookworm | https://d bookworm/stable amd64 Packages";
const rpmList =
  "Available Packages\ndocker-ce.x86_64    3:27.3.1-1.el9    docker-ce-stable\ndocker-ce.x86_64    3:27.3.10-1.el9    docker-ce-stable\n";
const zypperTable =
  "S | Name   | Type    | Version                | Arch   | Repository\n--+--------+---------+------------------------+--------+-----------\n  | docker | package | 27.3.1_ce-150000.203.1 | x86_64 | Main\n";
const specs: readonly (readonly [PackageManager, string, string, string, readonly string[]])[] = [
  [apt, "apt-cache", madison, "27.3.1", ["docker-ce=5:27.3.1-1~debian.12~bookworm"]],
  [apt, "apt-cache", madison, "27.3", ["docker-ce=5:27.3.10-1~debian.12~bookworm"]],
  [apt, "apt-cache", madison, "7.3", []],
  [dnf, "dnf", rpmList, "27.3", ["docker-ce-27.3.10-1.el9"]],
  [dnf, "dnf", rpmList, "27.3.1", ["docker-ce-27.3.1-1.el9"]],
  [dnf, "dnf", rpmList, "26", []],
  [zypper, "zypper", zypperTable, "27.3.1", ["docker-ce=27.3.1_ce-150000.203.1"]],
  [pacman, "pacman", "Name            : docker\nVersion         : 1:27.3.1-1\n", "27.3.1", ["docker-ce"]],
  [pacman, "pacman", "Version         : 1:27.3.1-1\n", "26.0", []],
  [apk, "apk", "", "27.3", ["docker-ce~27.3"]],
];
for (const [manager, program, output, version, expected] of specs) {
  test(`${manager.name} ${expected.length === 0 ? "has no" : "finds"} docker-ce ${version}`, async () => {
    using standIns = new StandIns().add(program, `cat << 'END'\n${output}\nEND`);
    const { facts } = await run(standIns, manager, sh`printf '@fact\tspec\t%s\n' "$(pkg_spec docker-ce ${version})"`);
    assert.deepEqual(facts("spec").filter(Boolean), expected);
  });
}

test("removing Debian's docker.io does not take images and volumes along", async () => {
  using standIns = new StandIns().add("apt-get").add("dpkg").add("rm");
  const { calls } = await run(standIns, apt, sh`pkg_remove docker.io runc`);
  assert.deepEqual(
    calls.filter((call) => !call.startsWith("rm -rf") && !call.includes("/state")),
    ["apt-get -q -y remove docker.io runc", "rm -f /var/lib/docker/nuke-graph-directory.sh", "dpkg --purge docker.io runc"],
  );
});

test("what was installed since and needs the engine is found before anything goes", async () => {
  using standIns = new StandIns().add(
    "apt-get",
    "echo 'Remv compose-tool [1.0]'; echo 'Remv docker.io [20.10.24] [x:amd64 ]'; echo 'Remv runc [1.1.5]'",
  );
  const needed = sh`pkg_needed docker.io runc | while read -r line; do printf '@fact\tneeded\t%s\n' "$line"; done`;
  assert.deepEqual((await run(standIns, apt, needed)).facts("needed"), ["compose-tool"]);
  using rpm = new StandIns().add("rpm", "echo '	docker-ce is needed by (installed) compose-tool-1.0-1.x86_64'; exit 1");
  assert.deepEqual((await run(rpm, dnf, needed)).facts("needed"), ["compose-tool-1.0-1.x86_64"]);
});

test("what needs a package that comes back neither keeps the engine nor goes with it", async () => {
  using rpm = new StandIns().add(
    "rpm",
    "printf '\\t(runc or crun) is needed by (installed) podman-4:4.9.4-1.x86_64\\n\\trunc >= 1.0 is needed by (installed) buildah-2:1.33.7-1.x86_64\\n\\tcontainerd.io is needed by (installed) tool-1-1.noarch\\n'",
  );
  const { facts, calls } = await run(
    rpm,
    dnf,
    sh`
coming_back='podman-docker runc'
pkg_needed containerd.io | while read -r line; do printf '@fact\tneeded\t%s\n' "$line"; done
pkg_remove containerd.io`,
  );
  assert.deepEqual(facts("needed"), ["tool-1-1.noarch"]);
  assert.equal(calls.at(-1), "rpm -e --nodeps containerd.io");
});
