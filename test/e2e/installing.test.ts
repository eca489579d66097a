/**
 * A fresh Debian without Node, npm and git gets the program by install.sh and as a package, from a server on this computer
 * alone, and makes a Docker host of another one with it.
 */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { writeChecksums } from "../../scripts/release/checksums.ts";
import { buildDebianPackage } from "../../scripts/release/debian.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { tinyImageTar } from "../lab/tiny-image.ts";
import { programs } from "./program.ts";

const executable = programs.executable[0];
const unavailable = (await labUnavailableReason()) ?? (existsSync("/usr/bin/dpkg-deb") ? undefined : "dpkg-deb is not installed");
const name = `docker-machine-linux-${process.arch}`;
const architecture = process.arch === "x64" ? "amd64" : "arm64";
const foreign = process.arch === "x64" ? "arm64" : "amd64";
/** Another program than the sums name, or a part of it. */
const bytes = randomBytes(1_000_000);

/** What becomes of the executable in the folders below which the sums are of the whole one. */
const troubles: Readonly<Record<string, (response: ServerResponse) => void>> = {
  wrong: (response) => response.end(Buffer.concat([bytes, Buffer.from("more")])),
  short: (response) => response.end(bytes.subarray(0, bytes.length / 2)),
  cut: (response) => {
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2), () => response.destroy());
  },
  quiet: (response) => {
    response.writeHead(200, { "content-length": bytes.length });
    response.write(bytes.subarray(0, bytes.length / 2));
  },
};

describe("installing on a fresh Debian", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  let server: Server;
  let from = "";
  let computer: LabHost;
  let box: LabHost;
  const folder = temporaryFolder();
  const heard = new Map<string, () => void>();

  before(async () => {
    lab = await openLab();
    makeRelease();
    server = createServer(({ url = "" }, response) => {
      heard.get(url)?.();
      const [, place = "", file = ""] = url.split("/");
      const trouble = troubles[place];
      if (trouble === undefined) return serve(path.join(folder, url), response);
      if (file === name) return trouble(response);
      const sum = createHash("sha256").update(bytes).digest("hex");
      return response.end(`${sum}  ${name}\n`);
    });
    await once(server.listen(0, lab.gateway), "listening");
    from = `http://${lab.gateway}:${(server.address() as AddressInfo).port}`;
    [computer, box] = await Promise.all([
      lab.start("bookworm", { image: "fresh", prepare: "useradd --create-home me" }),
      lab.start("bookworm-engine"),
    ]);
    await computer.sh("umask 077; mkdir -p /root/.ssh; cat > /root/.ssh/box", { stdin: readFileSync(box.privateKeyPath) });
    await computer.sh(`curl -fsS ${from}/install.sh -o /tmp/install.sh`);
    await box.sh("busybox httpd -p 8000 -h /");
    await computer.sh(`curl -fsS http://${box.address}:8000/usr/bin/docker -o /opt/docker && chmod 755 /opt/docker`);
  });
  after(async () => {
    server.closeAllConnections();
    server.close();
    await lab.close();
  });

  /** The package of the other architecture is one that could never run: it must not come to that. */
  function makeRelease(): void {
    copyFileSync(executable, path.join(folder, name));
    copyFileSync("scripts/release/install.sh", path.join(folder, "install.sh"));
    buildDebianPackage({ executable, architecture, version: "1.2.3", out: folder, compression: 1 });
    const other = path.join(folder, `docker-machine-linux-${foreign}`);
    writeFileSync(other, "of another processor");
    buildDebianPackage({ executable: other, architecture: foreign, version: "1.2.3", out: folder });
    writeChecksums(folder);
  }

  function serve(file: string, response: ServerResponse): void {
    if (existsSync(file)) response.end(readFileSync(file));
    else response.writeHead(404).end();
  }

  it("has nothing of what the program is built with", async () => {
    assert.equal((await computer.exec("command -v node nodejs npm bun git python3")).stdout, "");
  });

  /** What is refused is one sentence, and leaves nothing: neither where it was to be, nor among temporary files. */
  async function refuse(arrange: string, args: string, sentence: RegExp, prefix = "/opt/dm"): Promise<void> {
    const { status, stdout, stderr } = await computer.exec(`${arrange} sh /tmp/install.sh --prefix ${prefix} ${args}`);
    assert.equal(status, 1, stdout + stderr);
    assert.equal(stdout, "");
    assert.match(stderr, /^install\.sh: [^\n]+\n$/u);
    assert.match(stderr, sentence);
    await nothingIsLeft(prefix);
  }
  async function nothingIsLeft(prefix: string): Promise<void> {
    assert.equal(await computer.sh(`find ${prefix} -mindepth 1 2> /dev/null || true; ls -d /tmp/tmp.* 2> /dev/null || true`), "");
  }

  for (const [program, other] of [
    ["curl", "wget"],
    ["wget", "curl"],
  ] as const)
    it(`refuses what is not whole or not what the sums say, got by ${program}`, async () => {
      await computer.sh(`chmod 644 /usr/bin/${other}`);
      await refuse("", `--from ${from}/wrong`, /is not what SHA256SUMS says .*: nothing was installed$/mu);
      await refuse("", `--from ${from}/short`, /is not what SHA256SUMS says/u);
      await refuse("", `--from ${from}/cut`, new RegExp(`cannot get ${from}/cut/${name}`, "u"));
      await refuse("", `--from ${from}/nowhere`, /cannot get .*SHA256SUMS/u);
      await computer.sh(`chmod 755 /usr/bin/${other}`);
    });

  it("refuses a computer that it has nothing for, or that can get nothing", async () => {
    await refuse("linux32", `--from ${from}`, /there is no executable for i686/u);
    await computer.sh("chmod 644 /usr/bin/curl /usr/bin/wget");
    await refuse("", `--from ${from}`, /curl or wget is needed/u);
    await computer.sh("chmod 755 /usr/bin/curl /usr/bin/wget");
    const { status, stderr } = await computer.exec(`cd /tmp && curl -fsSO ${from}/docker-machine_1.2.3_${foreign}.deb &&
      dpkg -i docker-machine_1.2.3_${foreign}.deb`);
    assert.equal(status, 1);
    assert.match(stderr, /package architecture \(\w+\) does not match system/u);
  });

  it("refuses a place that may not be written to, or has no room", async () => {
    const asUser = "runuser -u me --";
    await refuse(asUser, `--from ${from}`, /you may not write to \/opt: name another folder with --prefix/u);
    await computer.sh("mkdir -p /opt/dm && mount -t tmpfs -o size=10m none /opt/dm");
    await refuse("", `--from ${from}`, /No space left on device: nothing was installed/u);
    await computer.sh("umount /opt/dm && rmdir /opt/dm");
    await computer.sh("mkdir -p /opt/dm/bin/docker-machine");
    const { stderr } = await computer.exec(`sh /tmp/install.sh --prefix /opt/dm --from ${from}`);
    assert.match(stderr, /^install\.sh: \/opt\/dm\/bin\/docker-machine is a folder: .*\n$/u);
    await computer.sh("rm -r /opt/dm");
  });

  it("leaves nothing when it is ended halfway", async () => {
    const isHalfway = new Promise<void>((resolve) => void heard.set(`/quiet/${name}`, resolve));
    const ended = computer.exec(`
      echo $$ > /tmp/installing
      exec setsid --wait sh -c 'echo $$ > /tmp/installing; exec sh /tmp/install.sh --prefix /opt/dm --from ${from}/quiet'`);
    await Promise.race([isHalfway, ended]);
    await computer.sh(`bash -c 'kill -TERM -- -$(cat /tmp/installing)'`);
    assert.equal((await ended).status, 143);
    await nothingIsLeft("/opt/dm");
  });

  /** A Docker host made, and a container run on it, by the program that is installed. */
  async function useProgram(): Promise<void> {
    const flags = `--driver generic --generic-ip-address=${box.address} --generic-ssh-key /root/.ssh/box`;
    assert.match(await computer.sh(`docker-machine create ${flags} web 2>&1`), /Docker is up and running!/u);
    const printed = await computer.sh(`
      eval "$(docker-machine env web)"
      curl -fsS http://${box.address}:8000${tinyImageTar} | /opt/docker import - tiny > /dev/null
      /opt/docker run --rm tiny echo it works`);
    assert.equal(printed, "it works");
    await computer.sh("docker-machine rm -y web");
  }

  it("installs by install.sh, for everybody or for whoever may not, and provisions", async () => {
    const said = await computer.sh(`sh /tmp/install.sh --from ${from}`);
    assert.match(said, /^Installed docker-machine version \S+, build \S+ in \/usr\/local\/bin$/mu);
    assert.match(await computer.sh("docker-machine version --output json"), /"install\.sh"/u);
    await useProgram();
    const own = await computer.sh(`cd / && runuser -u me -- sh /tmp/install.sh --from ${from}/`);
    assert.match(own, /in \/home\/me\/\.local\/bin\nPut \/home\/me\/\.local\/bin on PATH: /u);
    assert.equal(await computer.sh("runuser -u me -- /home/me/.local/bin/docker-machine ls -q"), "");
    await computer.sh("rm -r /usr/local/bin/docker-machine /usr/local/share/docker-machine /home/me/.local");
  });

  it("installs as a package, without a network for apt, and provisions", async () => {
    await computer.sh(`cd /tmp && curl -fsSO ${from}/docker-machine_1.2.3_${architecture}.deb`);
    await computer.sh(`apt-get install -y /tmp/docker-machine_1.2.3_${architecture}.deb`);
    assert.match(await computer.sh("docker-machine version --output json"), /"deb"/u);
    await useProgram();
    await computer.sh("apt-get purge -y docker-machine");
    assert.equal(await computer.sh("find / -xdev -path '*docker-machine*' -not -path '/proc/*' -not -path '/tmp/*'"), "");
  });
});
