/**
 * What stands in a package manager's way, on hosts with the real ones: each is one sentence with a way out, leaves nothing
 * half configured, and is gone on from once it is gone.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ErrorCode } from "../../src/errors/codes.ts";
import { formatPlan } from "../../src/provision/plan/format-plan.ts";
import { planHost, provisionHost, restoreHost } from "../../src/provision/provision.ts";
import type { EngineRequest } from "../../src/provision/provision-request.ts";
import { labUnavailableReason, openLab, type LabHost, type SystemRepositories } from "../lab/lab.ts";
import type { SystemName } from "../lab/systems/systems.ts";
import { waitUntil } from "../lab/wait.ts";
import { failureOf } from "../support/failure.ts";
import { takeSnapshot, withoutFiles } from "./host-snapshot.ts";
import { openLabMachine, type LabMachine } from "./lab-machine.ts";

const unavailable =
  process.env["DOCKER_MACHINE_ALL_SYSTEMS"] === "1"
    ? ((await labUnavailableReason()) ?? false)
    : "DOCKER_MACHINE_ALL_SYSTEMS=1 runs it (npm run lab:families)";

interface Trouble {
  readonly what: string;
  /** Shell on the host that makes it, and that ends it. */
  readonly make?: string;
  readonly end?: string;
  /** What the mirror answers to paths that fit. */
  readonly spoil?: readonly [RegExp, string | number];
  /** Subfolder of the mirror whose files stand in the place of its own. */
  readonly overlay?: string;
  readonly code?: ErrorCode;
  readonly says: RegExp;
  readonly hint: RegExp;
}

interface TroubledSystem {
  readonly system: SystemName;
  readonly troubles: readonly Trouble[];
  /** Where a key that is trusted is good for the manager even when it has expired: makes it trusted. */
  readonly trustExpired?: string;
  /** Installs a package that stays at work while /run/hold-package is there. */
  readonly holder: string;
  readonly holds: string;
  /** Takes away what the holder brought. */
  readonly release: string;
  /** In the plan, of packages that are in the way after `crowd`. */
  readonly crowd: string;
  readonly plan: RegExp;
}

const keys = /^Look after the keys of the machine's package repositories/u;
const mirrors = /^Check the machine's network, DNS, mirrors and proxy/u;
const conflict = /^Resolve the conflict on the machine, or choose another source/u;

const troubled: readonly TroubledSystem[] = [
  {
    system: "rocky-9",
    holder: "dnf -y -q install iptables",
    holds: "dnf",
    release: "dnf -y -q remove iptables-nft",
    crowd: "dnf -y -q install podman-docker buildah",
    plan: /^ {2}package {3}runc 4:1\.1\.12-1\.el9 is removed - not without --engine-allow-removal\n {2}package {3}podman-docker 4:4\.9\.4-1\.el9 is removed/mu,
    troubles: [
      {
        what: "a package of the system that pins another",
        make: "dnf -y -q install site-policy; mkdir -p /etc/dnf/protected.d; echo site-policy > /etc/dnf/protected.d/site-policy.conf",
        end: "rm /etc/dnf/protected.d/site-policy.conf; dnf -y -q remove site-policy",
        says: /^dnf could not install docker-ce docker-ce-cli containerd\.io docker-buildx-plugin docker-compose-plugin on web: the installed site-policy-1\.0-1\.el9\.noarch conflicts with container-selinux > 2:2\.100 provided by container-selinux-\S+; docker-ce-\S+ requires container-selinux >= 2:2\.74, but none of the providers can be installed$/u,
        hint: conflict,
      },
      {
        what: "a key that is not the one of the packages",
        make: "cp /etc/pki/rpm-gpg/RPM-GPG-KEY-system /root/key; cp /root/stranger /etc/pki/rpm-gpg/RPM-GPG-KEY-system; rpm -e --allmatches gpg-pubkey || true",
        end: "cp /root/key /etc/pki/rpm-gpg/RPM-GPG-KEY-system",
        says: /Public key for container-selinux\S+ is not installed[^]*GPG Keys are configured as: [^]*Error: GPG check FAILED$/u,
        hint: keys,
      },
      {
        what: "no key at all",
        make: "sed -i.bak /gpgkey/d /etc/yum.repos.d/system.repo",
        end: "mv /etc/yum.repos.d/system.repo.bak /etc/yum.repos.d/system.repo",
        says: /Public key for container-selinux\S+ is not installed\n[^]*Error: GPG check FAILED$/u,
        hint: keys,
      },
      {
        what: "a description of the repository that does not verify",
        make: "echo repo_gpgcheck=1 >> /etc/yum.repos.d/system.repo; dnf -q clean all",
        end: "sed -i /repo_gpgcheck/d /etc/yum.repos.d/system.repo; dnf -q clean all",
        spoil: [/system\/el9\/repodata\/repomd\.xml\.asc$/u, "not a signature"],
        says: /Error: Failed to download metadata for repo 'baseos': .*GPG/u,
        hint: keys,
      },
      {
        what: "a description of the repository that an expired key signed",
        make: "cp /etc/pki/rpm-gpg/RPM-GPG-KEY-system /root/key; cp /root/expired /etc/pki/rpm-gpg/RPM-GPG-KEY-system; echo repo_gpgcheck=1 >> /etc/yum.repos.d/system.repo; dnf -q clean all",
        end: "cp /root/key /etc/pki/rpm-gpg/RPM-GPG-KEY-system; sed -i /repo_gpgcheck/d /etc/yum.repos.d/system.repo; dnf -q clean all",
        overlay: "expired",
        says: /Error: Failed to download metadata for repo 'baseos': .*GPG/u,
        hint: keys,
      },
      {
        what: "a file that the mirror lacks",
        make: "dnf -q clean packages",
        spoil: [/container-selinux.*\.rpm$/u, 404],
        says: /container-selinux\S+: Cannot download, all mirrors were already tried without success$/u,
        hint: mirrors,
      },
      {
        what: "packages that are excluded",
        make: "echo 'excludepkgs=docker-ce*' >> /etc/dnf/dnf.conf",
        end: "sed -i /excludepkgs/d /etc/dnf/dnf.conf",
        says: /All matches were filtered out by exclude filtering for argument: docker-ce\n/u,
        hint: /excludepkgs in \/etc\/dnf\/dnf\.conf/u,
      },
      {
        what: "a module that stands before them",
        make: "sed -i.bak s,system/el9,system/modular, /etc/yum.repos.d/system.repo",
        end: "mv /etc/yum.repos.d/system.repo.bak /etc/yum.repos.d/system.repo; dnf -q clean all",
        says: /containerd\.io\S* .*is filtered out by modular filtering/u,
        hint: /dnf module disable container-tools/u,
      },
      {
        what: "a lock on the version of what would be replaced",
        make: "dnf -y -q install runc; dnf -q versionlock add runc",
        end: "dnf -q versionlock clear; dnf -y -q remove runc",
        code: "package-removal",
        says: /^runc on web is held at its version by its owner, and installing the engine would change it$/u,
        hint: /^Release it on the machine \(dnf versionlock delete\)/u,
      },
      question("dnf"),
      noSpaceForPrograms(),
    ],
  },
  {
    system: "leap-15.6",
    trustExpired:
      "rpm -e --allmatches gpg-pubkey; rpm --import /root/expired /etc/pki/rpm-gpg/RPM-GPG-KEY-system; rm -rf /var/cache/zypp",
    holder: "zypper -n -q install iptables",
    holds: "zypper",
    release: "zypper -n -q remove iptables",
    crowd: "zypper -n -q install podman-docker",
    plan: /^ {2}package {3}podman-docker 4:4\.9\.4-1\.150600\.1\.1 is removed - not without --engine-allow-removal$/mu,
    troubles: [
      {
        what: "a package that nothing provides",
        make: "rpm -e --justdb --nodeps xz",
        end: "rpm -i --justdb --nodeps /usr/local/share/lab/base/xz-*.rpm",
        says: /^zypper could not install docker on web: .*nothing provides '?xz >= 4\.9'? needed by (?:the to be installed )?docker-\S+$/u,
        hint: conflict,
      },
      {
        what: "a key that is not the one of the packages",
        make: "rpm -e --allmatches gpg-pubkey; rpm --import /root/stranger; rm -rf /var/cache/zypp",
        end: "rpm -e --allmatches gpg-pubkey; rpm --import /etc/pki/rpm-gpg/RPM-GPG-KEY-system",
        says: /Signature verification failed for repomd\.xml/u,
        hint: keys,
      },
      {
        what: "a description of the repository that does not verify",
        make: "rm -rf /var/cache/zypp",
        end: "rm -rf /var/cache/zypp",
        spoil: [/repodata\/repomd\.xml\.asc$/u, "not a signature"],
        says: /Signature verification failed/u,
        hint: keys,
      },
      {
        what: "a mirror that is dead, and no list of packages",
        make: "sed -i.bak s,^baseurl=.*,baseurl=http://127.0.0.1:9/x, /etc/zypp/repos.d/repo-oss.repo; rm -rf /var/cache/zypp",
        end: "mv /etc/zypp/repos.d/repo-oss.repo.bak /etc/zypp/repos.d/repo-oss.repo; rm -rf /var/cache/zypp",
        says: /^zypper could not bring its lists of packages up to date on web:\n[^]*Error message: Failed to connect to 127\.0\.0\.1 port 9/u,
        hint: mirrors,
      },
      {
        what: "a file that the mirror lacks",
        spoil: [/\/runc-.*\.rpm$/u, 404],
        says: /File '\.\/runc-\S+' not found on medium 'http:/u,
        hint: mirrors,
      },
      {
        what: "a lock on what would be replaced",
        make: "zypper -n -q install podman-docker; zypper -n -q addlock podman-docker",
        end: "zypper -n -q removelock podman-docker; zypper -n -q remove podman-docker podman runc",
        code: "package-removal",
        says: /^podman-docker on web is held at its version by its owner/u,
        hint: /^Release it on the machine \(zypper removelock\)/u,
      },
      question("zypper"),
      noSpaceForPrograms("zypper -n -q remove containerd docker iptables runc"),
    ],
  },
  {
    system: "arch",
    holder: "pacman -S --noconfirm iptables",
    holds: "pacman",
    release: "pacman -R --noconfirm iptables",
    crowd: "pacman -Sy; pacman -S --noconfirm podman-docker site-policy",
    plan: /^ {2}package {3}podman-docker 5\.2\.5-1 is removed - not without --engine-allow-removal\n(?: {2}package.*\n)*? {2}package {3}site-policy 1\.0-1 is removed/mu,
    troubles: [
      {
        what: "a package that nothing provides",
        make: "pacman -Rdd --dbonly --noconfirm bridge-utils",
        end: "pacman -U --dbonly --noconfirm /usr/local/share/lab/base/bridge-utils-*",
        says: /^pacman could not install docker on web: unable to satisfy dependency 'bridge-utils' required by docker$/u,
        hint: conflict,
      },
      {
        what: "a mirror that is dead, and no list of packages",
        make: "sed -i.bak s,^Server.*,Server=http://127.0.0.1:9/x, /etc/pacman.d/mirrorlist; rm -f /var/lib/pacman/sync/*",
        end: "mv /etc/pacman.d/mirrorlist.bak /etc/pacman.d/mirrorlist; pacman -Sy",
        says: /^pacman could not bring its lists of packages up to date on web:\nerror: failed retrieving file 'core\.db'/u,
        hint: mirrors,
      },
      {
        what: "a file that the mirror lacks",
        spoil: [/\/runc-.*\.zst$/u, 404],
        says: /error: failed retrieving file 'runc-\S+' from \S+ : The requested URL returned error: 404/u,
        hint: mirrors,
      },
      {
        what: "a file with another content than announced",
        spoil: [/\/runc-.*\.zst$/u, "not a package"],
        end: "rm -f /var/cache/pacman/pkg/*",
        says: /error: .*runc.*|invalid or corrupted package/u,
        hint: /^(The mirror gives other files than it announces|Check the machine's|Look after the keys)/u,
      },
      {
        what: "a key that is not the one of the packages",
        make: "mv /etc/pacman.d/gnupg /root/gnupg; pacman-key --init > /dev/null 2>&1; rm -f /var/cache/pacman/pkg/*",
        end: "rm -rf /etc/pacman.d/gnupg; mv /root/gnupg /etc/pacman.d/gnupg",
        says: /error: .*key .* is unknown|unknown trust|invalid or corrupted/u,
        hint: keys,
      },
      {
        what: "a package that an expired key signed",
        make: "pacman-key --add /root/expired; gpgconf --homedir /etc/pacman.d/gnupg --kill all; rm -f /var/cache/pacman/pkg/*; pacman -Sy",
        end: "pacman-key --delete expired@localhost; rm -f /var/cache/pacman/pkg/*; pacman -Syy",
        overlay: "expired",
        says: /error: runc: signature from "Expired \(lab\) <expired@localhost>" is unknown trust/u,
        hint: keys,
      },
      {
        what: "a package to be left alone that would be replaced",
        make: "pacman -S --noconfirm podman-docker; sed -i 's/^HoldPkg.*/&\\nIgnorePkg = podman-docker/' /etc/pacman.conf",
        end: "sed -i /IgnorePkg/d /etc/pacman.conf; pacman -R --noconfirm podman-docker podman",
        code: "package-removal",
        says: /^podman-docker on web is held at its version by its owner/u,
        hint: /^Release it on the machine \(IgnorePkg in \/etc\/pacman\.conf\)/u,
      },
      question("pacman"),
      noSpaceForPrograms(),
    ],
  },
];

/** One that asks before it installs, whatever it was told, and takes its answer from its input or else from a terminal. */
function question(manager: string): Trouble {
  return {
    what: "a question that waits for an answer",
    make: `
      mv /usr/bin/${manager} /usr/bin/real-manager
      cat > /usr/bin/${manager} << 'END'
#!/bin/sh
case " $* " in
  *" --assumeno "* | *" --dry-run "* | *" --dbpath "*) ;;
  *" install "* | *" -S "*)
    printf 'Do you accept the licence of docker? [yes/no]: '
    read -r answer || read -r answer < /dev/tty || exit 1 ;;
esac
exec /usr/bin/real-manager "$@"
END
      chmod 755 /usr/bin/${manager}`,
    end: `mv /usr/bin/real-manager /usr/bin/${manager}`,
    says: new RegExp(`^${manager} could not install .* on web:[^]*Do you accept the licence of docker\\? \\[yes/no\\]:`, "u"),
    hint: /^Put it right on the machine, then run "docker-machine provision"/u,
  };
}

/** /usr/bin is on a file system of its own, with a little left. @param release takes away what came before it was full */
function noSpaceForPrograms(release = "true"): Trouble {
  return {
    what: "no space for the programs",
    make: `
      mkdir -p /root/programs
      mount -t tmpfs -o "size=$(($(du -sm /usr/bin | cut -f 1) + 30))m,mode=755" tmpfs /root/programs
      cp -a /usr/bin/. /root/programs
      mount --move /root/programs /usr/bin`,
    end: `umount -l /usr/bin; ${release}`,
    code: "disk-full",
    says: /^There is no space left on \/usr\/bin of web$/u,
    hint: /^Free some space there/u,
  };
}

for (const { system, troubles, trustExpired, holder, holds, release, crowd, plan } of troubled) {
  describe(`trouble with ${holds} on ${system}`, { skip: unavailable }, () => {
    test("each is told, leaves nothing half configured, and is gone on from", async (t) => {
      await using lab = await openLab();
      await using repositories = await lab.serveSystemRepositories(system);
      await using host = await lab.start(system, { prepare: repositories.sources });
      await using machine = await openLabMachine(host);
      const engine: Partial<EngineRequest> = {
        packageMirror: repositories.url,
        packageKeys: [repositories.keyFingerprint],
        source: "auto",
      };
      for (const key of ["stranger", "expired"]) await host.sh(`cat > /root/${key}`, { stdin: await repositories.key(key) });
      const before = withoutFiles(await takeSnapshot(host)).packages.filter((name) => !name.startsWith("gpg-pubkey"));

      for (const trouble of troubles) {
        await t.test(trouble.what, async () => {
          await suffer(trouble, host, repositories, () => provisionHost(machine.request({ engine }), machine.context));
          const after = withoutFiles(await takeSnapshot(host)).packages.filter((name) => !name.startsWith("gpg-pubkey"));
          assert.deepEqual(after, before);
        });
      }

      if (trustExpired !== undefined) {
        await t.test("a key that has expired and is trusted is good enough for the manager", async () => {
          await host.sh(trustExpired);
          repositories.overlay("expired");
          await provisionHost(machine.request({ engine }), machine.context);
          repositories.overlay(undefined);
          await restoreHost(machine.request(), machine.context);
          await host.sh("rm -rf /var/cache/zypp");
        });
      }

      await t.test("what would be removed is in the plan", async () => {
        await host.sh(`{ ${crowd}\n} > /dev/null 2>&1`);
        assert.match(formatPlan(await planHost(machine.request({ engine }), machine.context)), plan);
        const error = await failureOf(provisionHost(machine.request({ engine }), machine.context));
        assert.equal(error.code, "package-removal");
      });

      await t.test("what nobody has foretold is not removed either", async () => {
        await using hasty = await openLabMachine(host, { bounds: { forecastMs: 1 } });
        const error = await failureOf(provisionHost(hasty.request({ engine }), hasty.context));
        assert.equal(error.code, "package-removal");
        assert.match(error.message, /^Installing .* on web would remove what is there: .*podman-docker/u);
      });

      await t.test("a manager that is killed in the middle is gone on from", async () => {
        const request = machine.request({ engine: { ...engine, allowRemoval: true } });
        await host.sh("touch /run/hold-package");
        const running = failureOf(provisionHost(request, machine.context));
        await atWork(host);
        await host.sh(`pkill -9 -x ${holds}; rm /run/hold-package`);
        assert.equal((await running).code, "package-manager");
        await provisionHost(request, machine.context);
        assert.equal(await machine.ask("/_ping"), "OK");
        await restoreHost(machine.request(), machine.context);
        assert.equal(await host.sh("command -v dockerd || true"), "");
      });

      await t.test("a manager that hangs is waited for with a bound, and what it did in the end is gone on from", async () => {
        const request = machine.request({ engine: { ...engine, allowRemoval: true } });
        await host.sh("touch /run/hold-package");
        const error = await failureOf(provisionHost(request, { ...machine.context, bounds: { installMs: 20_000 } }));
        assert.equal(error.code, "timeout");
        await host.sh("rm /run/hold-package");
        await provisionHost(request, machine.context);
        assert.equal(await machine.ask("/_ping"), "OK");
        await restoreHost(machine.request(), machine.context);
        assert.equal(await host.sh("command -v dockerd || true"), "");
      });

      await t.test("a lock that another holds is waited for", async () => {
        await host.sh(
          `{ ${release}\n} > /dev/null 2>&1 || true; touch /run/hold-package; systemd-run --quiet --unit=holder ${holder}`,
        );
        await atWork(host);
        await waitsForLock(machine, host, engine);
        assert.equal(await machine.ask("/_ping"), "OK");
      });
    });
  });
}

async function suffer(
  trouble: Trouble,
  host: LabHost,
  repositories: SystemRepositories,
  provision: () => Promise<unknown>,
): Promise<void> {
  repositories.overlay(trouble.overlay);
  if (trouble.make !== undefined) await host.sh(`set -e; { ${trouble.make}\n} > /dev/null 2>&1`);
  if (trouble.spoil !== undefined) repositories.spoil(...trouble.spoil);
  try {
    const error = await failureOf(provision());
    assert.match(error.message, trouble.says);
    assert.equal(error.code, trouble.code ?? "package-manager");
    assert.match(error.hint ?? "", trouble.hint);
    assert.equal(
      await host.sh(
        "ls -A /etc/docker /etc/yum.repos.d/docker-ce.repo /var/lib/docker-machine/run 2> /dev/null; command -v dockerd || true",
      ),
      "",
    );
  } finally {
    repositories.mend();
    repositories.overlay(undefined);
    if (trouble.end !== undefined) await host.sh(`{ ${trouble.end}\n} > /dev/null 2>&1 || true`);
  }
}

/** The script of the package that waits for /run/hold-package runs. */
async function atWork(host: LabHost): Promise<void> {
  await waitUntil("the manager to be at work", 60_000, async () => {
    const { status } = await host.exec("grep -qs hold-package /var/tmp/rpm-tmp.* || ls -d /tmp/alpm_*");
    return status === 0 ? true : undefined;
  });
}

async function waitsForLock(machine: LabMachine, host: LabHost, engine: Partial<EngineRequest>): Promise<void> {
  let waits = 0;
  let released: Promise<unknown> | undefined;
  const report: LabMachine["context"]["report"] = (event) => {
    machine.context.report(event);
    if (event.type !== "log" || !event.text.startsWith("Another process holds the lock")) return;
    waits += 1;
    released ??= host.sh("rm -f /run/hold-package");
  };
  const request = machine.request({ engine: { ...engine, allowRemoval: true } });
  await provisionHost(request, { ...machine.context, report });
  await released;
  assert.equal(waits, 1);
}
