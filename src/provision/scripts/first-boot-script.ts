/** Waiting until cloud-init is through with a host's first boot: until then it may hold the package manager and write files. */
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";
import { answering, scriptPrelude } from "../shell/script-protocol.ts";
import { lookingFunctions } from "../facts/probe-script.ts";

/**
 * Says as fact `first-boot-status` what `cloud-init status --wait` ended with: 0 done, 1 failed, 2 done with errors that
 * it could recover from (since 23.4), 124 that it is still at work after `boundMs`; and its own words as facts `first-boot-words`.
 */
export function awaitFirstBootScript(boundMs: number): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    lookingFunctions(boundMs),
    sh`
waiting "Waiting for cloud-init to finish..."
bounded cloud-init status --wait > /dev/null 2>&1
printf '\n@fact\tfirst-boot-status\t%s\n' "$?"
cloud-init status --long 2> /dev/null | tail -n 20 | while IFS= read -r line; do printf '\n@fact\tfirst-boot-words\t%s\n' "$line"; done
end
`,
  );
}
