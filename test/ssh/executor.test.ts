import { spawnSync } from "node:child_process";
import { describe } from "node:test";
import { describeExecutorContract } from "./executor-contract.ts";
import { startDropbear, startSshd, whyNot } from "./real-servers.ts";

const noClient = spawnSync("ssh", ["-V"]).error === undefined ? undefined : "the OpenSSH client is not installed";

describe("every executor on every server", { concurrency: true }, () => {
  describeExecutorContract({ name: "sshd", backend: "openssh", start: () => startSshd(), skip: noClient ?? whyNot("sshd") });
  describeExecutorContract({ name: "sshd", backend: "native", start: () => startSshd(), skip: whyNot("sshd") });
  describeExecutorContract({ name: "dropbear", backend: "openssh", start: startDropbear, skip: noClient ?? whyNot("dropbear") });
  describeExecutorContract({ name: "dropbear", backend: "native", start: startDropbear, skip: whyNot("dropbear") });
});
