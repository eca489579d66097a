/** A process of its own that holds one session on its standard streams; see `session.test.ts`. */
import { openSshExecutor } from "../../src/ssh/connect.ts";
import type { SshBackend, SshSessionOptions, SshTarget } from "../../src/ssh/executor.ts";
import { sshTestContext } from "./ssh-test-context.ts";

export interface SessionRequest {
  readonly backend: SshBackend;
  readonly target: SshTarget;
  readonly options: SshSessionOptions;
}

const request = JSON.parse(process.argv[2] ?? "") as SessionRequest;
const ssh = await openSshExecutor(request.backend, request.target, sshTestContext());
try {
  process.exitCode = await ssh.session(request.options);
} finally {
  await ssh.close();
}
