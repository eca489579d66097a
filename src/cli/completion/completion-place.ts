/** Where shells look by themselves for a user's completions of programs. */
import * as path from "node:path";
import type { Computer } from "../../system/computer.ts";
import type { completionAlone } from "./scripts.ts";

export type InstallableShell = keyof typeof completionAlone;

export interface CompletionPlace {
  readonly file: string;
  /** What a start-up file needs for the shell to look there; absent where it does. */
  readonly needs?: { readonly line: string; readonly file: string };
  /** What loads the completion into a running shell, or from its start-up file. */
  readonly load: string;
}

type Home = Pick<Computer, "env"> & { readonly homeDir: string };

/** Bash by bash-completion 2, fish by itself (XDG Base Directory Specification); zsh where it is told to. */
export const completionPlaces: Readonly<Record<InstallableShell, (home: Home) => CompletionPlace>> = {
  bash: (home) => ({
    file: path.join(dataFolder(home), "bash-completion", "completions", "docker-machine"),
    load: 'eval "$(docker-machine completion bash)"',
  }),
  zsh: (home) => {
    const folder = path.join(dataFolder(home), "zsh", "site-functions");
    const startup = path.join(home.env["ZDOTDIR"] ?? home.homeDir, ".zshrc");
    return {
      file: path.join(folder, "_docker-machine"),
      needs: { line: `fpath=(${folder} $fpath)`, file: startup },
      load: 'eval "$(docker-machine completion zsh)"',
    };
  },
  fish: (home) => ({
    file: path.join(given(home, "XDG_CONFIG_HOME", ".config"), "fish", "completions", "docker-machine.fish"),
    load: "docker-machine completion fish | source",
  }),
};

function dataFolder(home: Home): string {
  return given(home, "XDG_DATA_HOME", path.join(".local", "share"));
}

/** What is not absolute is to be taken for absent. */
function given({ env, homeDir }: Home, variable: string, standard: string): string {
  const value = env[variable];
  return value !== undefined && path.isAbsolute(value) ? value : path.join(homeDir, standard);
}
