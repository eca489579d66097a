/** The script that asks a host's package manager what an installation would do. Changes nothing there but a folder that goes again. */
import { changingFunctions } from "../shell/changing.ts";
import { lookingFunctions } from "../facts/probe-script.ts";
import type { Installation } from "../install/installation.ts";
import type { ProvisionBounds } from "../provision-context.ts";
import { answering, scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { exportedProxies } from "./install-script.ts";

/** Each way answers for itself: what keeps one from telling keeps no other. */
export function forecastScript(
  ways: readonly Installation[],
  label: string,
  env: readonly string[],
  bounds: ProvisionBounds,
): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    lookingFunctions(bounds.queryMs),
    changingFunctions({ record: false, label, packageLockSeconds: 0, mayRemove: true }),
    ...exportedProxies(env),
    sh`
scratch=$(mktemp -d) || { end; exit 0; }
on_failure() { rm -rf "$scratch"; }
managed_log=$scratch/log
bring=foretell
tell() { printf '\n@fact\tforecast:%s\t%s\n' "$source" "$1"; }
hint() { :; }
before_engine_changes() { :; }
fail() { tell "unknown $2"; exit 0; }
foretell() {
  words="$*"
  state=$(pkg_state)
  pkg_preview "$@" > "$scratch/forecast" 2> "$scratch/words" || {
    while IFS= read -r line; do printf '\n@fact\tforecast-words:%s\t%s\n' "$source" "$line"; done < "$scratch/words"
    fail unknown ""
  }
  while IFS= read -r line; do tell "$line"; done < "$scratch/forecast"
  tell "words $words"
  tell "state $state"
  tell told
}`,
    ...ways.flatMap((way) => (way.rehearse === undefined ? [] : [rehearsal(way, way.rehearse)])),
    sh`rm -rf "$scratch"
end`,
  );
}

function rehearsal({ source, manager }: Installation, rehearse: ShellText): ShellText {
  return sh`
(
source=${source}
room=$scratch/${source}
mkdir "$room" || exit 0
${manager?.functions}
${rehearse}
)`;
}
