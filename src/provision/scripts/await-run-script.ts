/** Waits for a run that is at work on the host: what is seen of a host while it is being changed is nothing to plan upon. */
import { changingFunctions } from "../shell/changing.ts";
import { answering, scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";

export function awaitRunScript(label: string, packageLockSeconds: number): ShellText {
  return joinLines(
    scriptPrelude,
    answering,
    changingFunctions({ record: false, label, packageLockSeconds, mayRemove: false }),
    sh`await_other_run
end`,
  );
}
