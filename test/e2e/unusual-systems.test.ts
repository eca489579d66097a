/** Systems that are too old, old enough to need another way, or not what they say. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab } from "../lab/lab.ts";
import { reportKernel } from "../lab/systems/systems.ts";
import { dockerEnvironment, runContainer } from "./docker-client.ts";
import { assertFails } from "./failing.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";

const unavailable =
  process.env["DOCKER_MACHINE_ALL_SYSTEMS"] === "1"
    ? await labUnavailableReason()
    : "DOCKER_MACHINE_ALL_SYSTEMS=1 runs it (npm run lab:families)";

describe("unusual systems", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  test("CentOS 6 is refused with what it lacks", async () => {
    const prepare = `
      rm -f /etc/os-release /usr/lib/os-release /etc/system-release
      echo 'CentOS release 6.10 (Final)' > /etc/redhat-release
      ${reportKernel("2.6.32-754.el6.x86_64")}`;
    await using host = await lab.start("rocky-9", { prepare });
    await using program = await Program.open();
    await assertFails(program, createArguments(host, "web"), {
      sentence:
        /^web \(CentOS release 6\.10 \(Final\)\) cannot run a Docker Engine: its kernel is 2\.6\.32-754\.el6\.x86_64 and the engine needs 3\.10 or newer$/u,
      hint: /^Take a host with a current kernel/u,
    });
    assert.equal(await host.sh("ls -A /etc/docker /var/lib/docker-machine 2> /dev/null || true"), "");
  });

  test("CentOS 7, whose repositories are gone, gets static binaries from a mirror; yum brings what they need", async () => {
    await using repositories = await lab.serveSystemRepositories("centos-7");
    await using mirror = await lab.serveDockerRepository();
    await using host = await lab.start("centos-7", { prepare: repositories.sources });
    await using program = await Program.open();
    const flags = ["--engine-source", "static", "--engine-version", "20.10.24", "--engine-package-mirror", mirror.url];
    const created = await program.ok(createArguments(host, "web", ...flags));
    assert.match(created, /^Provisioning with centos\.\.\.$/mu);
    await runContainer(await dockerEnvironment(program), host);
    assert.equal(await host.sh("rpm -q iptables-nft > /dev/null; ls /usr/local/bin/dockerd"), "/usr/local/bin/dockerd");
  });

  test("a package manager that asks at its terminal, where sudo insists on one, is told and waits for nobody", async () => {
    await using repositories = await lab.serveSystemRepositories("rocky-9");
    await using host = await lab.start("rocky-9", { prepare: repositories.sources });
    await host.sh(`
      useradd -m -s /bin/bash admin
      install -d -o admin -g admin -m 700 /home/admin/.ssh
      install -o admin -g admin -m 600 /root/.ssh/authorized_keys /home/admin/.ssh/authorized_keys
      printf 'admin ALL=(ALL:ALL) NOPASSWD: ALL\nDefaults requiretty\n' > /etc/sudoers.d/admin
      chmod 440 /etc/sudoers.d/admin
      mv /usr/bin/dnf /usr/bin/real-manager
      cat > /usr/bin/dnf << 'END'
#!/bin/sh
case " $* " in *" --assumeno "*) ;; *" install "*)
  printf 'Do you accept the licence of docker? [yes/no]: '
  read -r answer < /dev/tty || exit 1 ;;
esac
exec /usr/bin/real-manager "$@"
END
      chmod 755 /usr/bin/dnf`);
    await using program = await Program.open();
    const mirror = ["--engine-package-mirror", repositories.url, "--engine-package-key", repositories.keyFingerprint];
    const create = createArguments(host, "web", ...mirror, "--generic-ssh-user=admin");
    await assertFails(program, create, {
      sentence: /^dnf could not install docker-ce .* on web:\n[^]*Do you accept the licence of docker\? \[yes\/no\]:/u,
      hint: /^Put it right on the machine/u,
    });
    await host.sh("mv /usr/bin/real-manager /usr/bin/dnf");
    await program.ok(["provision", "web"]);
    await runContainer(await dockerEnvironment(program), host);
  });

  test("two package managers side by side: the system's own is taken", async () => {
    await using repositories = await lab.serveSystemRepositories("leap-15.6");
    const stranger =
      "printf '#!/bin/sh\\necho asked >> /root/asked; exit 1\\n' > /usr/bin/dnf; chmod 755 /usr/bin/dnf; cp /usr/bin/dnf /usr/bin/apt-get";
    await using host = await lab.start("leap-15.6", { prepare: `${repositories.sources}\n${stranger}` });
    await using program = await Program.open();
    await program.ok(createArguments(host, "web"));
    await runContainer(await dockerEnvironment(program), host);
    assert.equal(await host.sh("cat /root/asked 2> /dev/null || true"), "");
  });

  test("an os-release that lies about the package manager is told so, and nothing is changed", async () => {
    await using host = await lab.start("leap-15.6", { prepare: "sed -i 's/^ID=.*/ID=rocky/' /usr/lib/os-release" });
    await using program = await Program.open();
    await assertFails(program, createArguments(host, "web"), {
      sentence: /^web says that it is openSUSE Leap 15\.6, whose package manager is dnf, and has zypper$/u,
      hint: /--engine-source static/u,
    });
    await host.sh("mv /usr/bin/zypper /root/zypper");
    await assertFails(program, createArguments(host, "none"), {
      sentence: /^none says that it is openSUSE Leap 15\.6, whose package manager is dnf, and has no package manager$/u,
      hint: /--engine-source static/u,
    });
    assert.equal(await host.sh("ls -A /etc/docker /var/lib/docker-machine 2> /dev/null || true"), "");
  });
});
