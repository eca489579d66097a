/** The script that ends a machine's time, run in every shell with clocks, sockets and an engine that the test makes. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { runShell, shells } from "../../../test/support/shells.ts";
import type { Lifetime } from "../provision-request.ts";
import { lifetimeScript } from "./lifetime-script.ts";

const deadline = new Date("2026-11-28T18:00:00Z");
const deadlineSeconds = deadline.getTime() / 1000;

/** A host whose clocks stand where the test puts them. */
class Clockwork implements Disposable {
  /** Seconds since the boot. */
  up = 40_000;
  /** Before the deadline. */
  left = 3_600;
  #containers: string | undefined = "";
  readonly #folder = mkdtempSync(path.join(tmpdir(), "lifetime-"));
  readonly #shell: readonly string[];

  constructor(shell: readonly string[]) {
    this.#shell = shell;
    mkdirSync(this.#at("proc/net"), { recursive: true });
    mkdirSync(this.#at("proc/77"));
    writeFileSync(this.#at("docker.pid"), "77");
    this.connect();
  }

  /** Later by so many seconds, by both clocks. */
  pass(seconds: number): void {
    this.up += seconds;
    this.left -= seconds;
  }

  boot(): void {
    this.up = 60;
    rmSync(this.#at("state"), { recursive: true, force: true });
  }

  /** Local ports of connections, as the kernel lists them. */
  connect(...ports: readonly number[]): void {
    const rows = ports.map((port) => `   1: 0100007F:${port.toString(16).toUpperCase().padStart(4, "0")} 0100007F:D431 01 0`);
    const listening = "   0: 00000000:0016 00000000:0000 0A 0";
    writeFileSync(this.#at("proc/net/tcp"), `  sl  local_address rem_address   st\n${[listening, ...rows].join("\n")}\n`);
  }

  /** What `docker ps` prints; undefined = the engine does not answer. */
  contain(listed: string | undefined): void {
    this.#containers = listed;
  }

  /** Runs it as the timer does: what it told all who are logged in, and whether it powered off; what it printed otherwise. */
  look(lifetime: Partial<Lifetime>, argument = ""): string {
    writeFileSync(this.#at("proc/uptime"), `${this.up}.37 1234.5\n`);
    const script = lifetimeScript({ graceSeconds: 600, ports: [22, 2376], ...lifetime })
      .replaceAll("/run/docker-machine-ttl", this.#at("state"))
      .replaceAll("/var/run/docker.pid", this.#at("docker.pid"))
      .replaceAll("/run/docker.pid", this.#at("docker.pid"))
      .replaceAll("/run/systemd/system", this.#at("no-systemd"))
      .replaceAll("/proc/", `${this.#at("proc")}/`)
      .replace(/^PATH=.*$/mu, "");
    const { stdout, stderr } = runShell(this.#shell, `${this.#programs()}\nset -- ${argument}\n${script}`);
    assert.equal(stderr, "");
    return stdout.trim();
  }

  /** Functions stand before programs, also before those that a shell has built in. */
  #programs(): string {
    const docker = this.#containers === undefined ? "return 1" : `printf %s '${this.#containers}'`;
    return `exec 3>&1
date() { echo ${deadlineSeconds - this.left}; }
wall() { echo "wall $1" >&3; }
logger() { :; }
timeout() { [ "$2" = true ] || { shift; "$@"; }; }
docker() { ${docker}; }
poweroff() { echo poweroff; }`;
  }

  has(file: string): boolean {
    return existsSync(this.#at(file));
  }

  read(file: string): string {
    return readFileSync(this.#at(file), "utf8");
  }

  #at(name: string): string {
    return path.join(this.#folder, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

for (const shell of shells) {
  const name = shell.join(" ");

  test(`${name}: warns half the grace before the deadline, once, and powers off at it`, () => {
    using host = new Clockwork(shell);
    assert.equal(host.look({ deadline }), "");
    host.pass(3_300);
    assert.equal(
      host.look({ deadline }),
      "wall This machine is powered off in 5 min, because its time is over. To go on: docker-machine ttl NAME 4h",
    );
    host.pass(60);
    assert.equal(host.look({ deadline }), "");
    host.pass(239);
    assert.equal(host.look({ deadline }), "");
    host.pass(1);
    assert.match(host.look({ deadline }), /\npoweroff$/u);
  });

  test(`${name}: a deadline that is moved while it warns calls the end off, and says so`, () => {
    using host = new Clockwork(shell);
    host.pass(3_500);
    assert.match(host.look({ deadline }), /in 2 min/u);
    const later = new Date(deadline.getTime() + 3_600_000);
    assert.equal(host.look({ deadline: later }), "wall This machine goes on: it is not powered off.");
    host.pass(200);
    assert.equal(host.look({ deadline: later }), "");
  });

  test(`${name}: a boot behind the deadline has the whole grace from the boot on`, () => {
    using host = new Clockwork(shell);
    host.left = -50_000;
    host.boot();
    assert.match(host.look({ deadline }), /in 9 min/u);
    host.pass(530);
    assert.equal(host.look({ deadline }), "");
    host.pass(10);
    assert.match(host.look({ deadline }), /\npoweroff$/u);
  });

  test(`${name}: a clock that jumps over the deadline is no end without a warning, and one that jumps back calls it off`, () => {
    using host = new Clockwork(shell);
    host.look({ deadline });
    host.left = -86_400;
    assert.match(host.look({ deadline }), /^wall This machine is powered off in 5 min/u);
    host.left = 3_000;
    assert.equal(host.look({ deadline }), "wall This machine goes on: it is not powered off.");
    host.left = -86_400;
    assert.match(host.look({ deadline }), /in 5 min/u);
    host.pass(300);
    assert.match(host.look({ deadline }), /\npoweroff$/u);
  });

  test(`${name}: idle is counted from the last use, by the clock that only runs`, () => {
    using host = new Clockwork(shell);
    const idle = { idleSeconds: 7_200 };
    host.contain("db \n");
    assert.equal(host.look(idle), "");
    host.pass(60);
    host.contain("");
    host.look(idle);
    assert.match(host.look(idle, "tell"), new RegExp(`^since=${deadlineSeconds - host.left - 60}\nbusy=$`, "u"));
    host.left -= 1_000_000;
    assert.equal(host.look(idle), "");
    host.pass(6_841);
    assert.match(host.look(idle), /^wall This machine is powered off in 5 min, because nothing has used it\./u);
    assert.match(host.look(idle, "tell"), /\noff=299$/u);
    host.pass(300);
    assert.match(host.look(idle), /\npoweroff$/u);
  });

  test(`${name}: what uses the machine is told, and begins the count anew`, () => {
    using host = new Clockwork(shell);
    const idle = { idleSeconds: 7_200 };
    const busy = (): string => {
      host.look(idle);
      return host.read("state/busy").trim();
    };
    assert.equal(busy(), "");
    host.connect(22);
    assert.equal(busy(), "a connection to port 22");
    host.connect(40_022, 2376);
    assert.equal(busy(), "a connection to port 2376");
    host.connect(8_080);
    assert.equal(busy(), "");
    host.contain("agent ignore\nweb \n");
    assert.equal(busy(), "the container web");
    host.contain("agent ignore\n");
    assert.equal(busy(), "");
    host.contain(undefined);
    assert.equal(busy(), "an engine that does not answer");
    host.pass(7_000);
    host.contain("agent ignore\n");
    host.look(idle);
    assert.match(host.look(idle, "tell"), new RegExp(`^since=${deadlineSeconds - host.left - 7_000}\n`, "u"));
  });

  test(`${name}: a use while it warns calls the end off`, () => {
    using host = new Clockwork(shell);
    const idle = { idleSeconds: 7_200 };
    host.look(idle);
    host.pass(7_000);
    assert.match(host.look(idle), /in 4 min/u);
    host.connect(22);
    assert.match(host.look(idle), /goes on/u);
  });

  test(`${name}: to look at what it says changes nothing`, () => {
    using host = new Clockwork(shell);
    assert.equal(host.look({ deadline }, "tell"), "busy=");
    assert.equal(host.has("state"), false);
  });
}
