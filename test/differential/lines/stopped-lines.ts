/** What is asked of `still`, a machine that does not run, and of `other` beside it. */
import { line, none, type CommandLine } from "./command-line.ts";

/** The store must hold `still` beforehand. */
export const stoppedLines: readonly CommandLine[] = [
  none("other", 2376),
  line("ls"),
  line("ls", "-t", "5"),
  line("ls", "--filter", "state=Stopped"),
  line("ls", "--filter", "state=Stopped", "--filter", "state=Running"),
  line("ls", "-q", "--filter", "state=Stopped"),
  line("ls", "-f", "{{.Name}}|{{.Active}}|{{.State}}|{{.URL}}|{{.DockerVersion}}|{{.Error}}"),
  line("ls", "-f", '{{printf "%d" .State}}'),
  line("status", "still"),
  line("ip", "still", "other"),
  line("url", "still"),
  line("env", "still"),
  line("env", "--shell", "tcsh", "still"),
  line("env", "--no-proxy", "still"),
  line("config", "still"),
  line("version", "still"),
  { args: ["active"], env: { DOCKER_HOST: "tcp://127.0.0.20:2376" } },
  { args: ["active"], env: { DOCKER_HOST: "tcp://127.0.0.1:2376" } },
  line("ssh", "still", "true"),
  line("stop", "still"),
  line("kill", "still"),
  line("start", "still"),
  line("upgrade", "still"),
  line("inspect", "-f", "{{.Driver.IPAddress}}", "still"),
  line("rm", "-y", "still"),
  line("ls", "-q"),
];
