/** The way into a machine: port, host key, login, shell and rights. One connection tells all of it. */
import type { ErrorCode } from "../../../errors/codes.ts";
import type { MachineError } from "../../../errors/machine-error.ts";
import { SshUnreachableError } from "../../../ssh/ssh-errors.ts";
import { quoteWord } from "../../../ssh/shell-quote.ts";
import { check, fail, type AnyCheck, type Complaint } from "../check.ts";
import type { Subject } from "../subject.ts";

/** What failed, if it is one of these. */
function failureOf(
  codes: readonly ErrorCode[],
): (subject: Subject) => Promise<{ readonly error?: MachineError; readonly keyFile?: string } | undefined> {
  return async (subject) => {
    const look = await subject.ssh();
    if (look === undefined) return undefined;
    return "error" in look && codes.includes(look.error.code) ? look : {};
  };
}

interface Failure {
  readonly error?: MachineError;
  readonly keyFile?: string;
}

const portCauses: Readonly<Record<string, string>> = {
  refused: "sshd does not run, or listens at another port",
  "timed-out": "a firewall or security group drops packets, or the machine is off",
  "no-route": "this computer has no way to that network",
  "unknown-host": "the name cannot be resolved",
  silent: "the machine is overloaded, or something else listens there",
  "not-ssh": "another service has that port",
  "hung-up": "the server is at its limit of connections, or has banned this address",
  "refused-for-now": "the server has counted too many connections from here",
  "handshake-timed-out": "the machine is overloaded",
  "no-common-algorithm": "the server is too old, or too new",
};

function judgePort({ error }: Failure): Complaint | undefined {
  if (error === undefined) return undefined;
  const reason = error instanceof SshUnreachableError ? error.reason : "";
  return fail(error.message, portCauses[reason] ?? "SSH does not get through", error.hint ?? "");
}

function judgeLogin({ error, keyFile = "" }: Failure): Complaint | undefined {
  if (error === undefined) return undefined;
  const isMode = error.code === "ssh-key-unusable" && /others|permission/iu.test(error.message) && keyFile !== "";
  const cause =
    error.code === "ssh-key-unusable" ? "the key on this computer cannot be used" : "the machine knows another user or key";
  return fail(error.message, cause, isMode ? "mode" : (error.hint ?? ""), keyFile);
}

export const sshChecks: readonly AnyCheck[] = [
  check<Failure>({
    id: "ssh-port",
    layer: "ssh",
    title: "an SSH server answers",
    needs: ["dns", "provider"],
    of: "machine",
    probe: failureOf(["ssh-unreachable", "ssh-closed", "timeout"]),
    judge: judgePort,
    advice: ({ kind }) => kind || "Check the address and the port, and that the machine is on",
  }),
  check<Failure>({
    id: "host-key",
    layer: "ssh",
    title: "the host shows the pinned key",
    needs: ["ssh-port"],
    of: "machine",
    probe: failureOf(["host-key-mismatch"]),
    judge: ({ error }) => error && fail(error.message, "the machine was built anew, or somebody is between", error.hint ?? ""),
    advice: ({ kind }) => kind || "Compare the key on the machine's console before it is accepted: docker-machine ssh-host-key",
  }),
  check<Failure>({
    id: "login",
    layer: "ssh",
    title: "the user is let in with the key",
    needs: ["host-key"],
    of: "machine",
    probe: failureOf(["ssh-authentication", "ssh-key-unusable", "program-missing"]),
    judge: judgeLogin,
    advice: ({ kind, about = "" }) => (kind === "mode" ? `chmod 600 ${quoteWord(about)}` : kind || "Check the user and the key"),
    repair: ({ kind }, { repairs }, { keyFile = "" }) =>
      kind === "mode"
        ? { what: `make ${keyFile} readable by you alone`, run: async () => await repairs.chmod(keyFile, 0o600) }
        : undefined,
  }),
  check<Failure>({
    id: "shell-and-sudo",
    layer: "ssh",
    title: "the user has a shell, and root's rights",
    needs: ["login"],
    of: "machine",
    probe: failureOf(["remote-command", "sudo-required"]),
    judge: ({ error }) =>
      error &&
      fail(
        error.message,
        error.code === "sudo-required" ? "sudo wants a password, a terminal, or refuses" : "the account runs no commands",
        error.hint ?? "",
      ),
    advice: ({ kind }) => kind || "docker-machine create --generic-sudo-password-file, or NOPASSWD in the machine's sudoers",
  }),
];
