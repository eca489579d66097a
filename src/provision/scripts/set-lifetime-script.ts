/** The part of a script that gives a host its time to live, or takes it away: no concern of the engine's. */
import type { LifetimePlan } from "../lifetime/lifetime.ts";
import { lifetimeState } from "../lifetime/lifetime-script.ts";
import { lookingFunctions } from "../facts/probe-script.ts";
import { putFile } from "../shell/changing.ts";
import { lifetimePaths } from "../shell/own-files.ts";
import { scriptPrelude } from "../shell/script-protocol.ts";
import { joinLines, sh, type ShellText } from "../shell/shell-text.ts";

const timer = "docker-machine-ttl.timer";

/** Written again and again to the same end: where all is as wanted, what runs it is seen to run. */
export function setLifetimeScript(plan: LifetimePlan | undefined): ShellText | undefined {
  if (plan === undefined) return undefined;
  const isEnded = plan.removals.length > 0;
  return joinLines(
    sh`apart=yes`,
    isEnded && endLifetimeScript,
    ...plan.files.map((file) => putFile(file.path, file.mode, file.content)),
    ...plan.removals.map((path) => sh`take_away ${path}`),
    sh`apart=`,
    plan.by === "systemd" && (isEnded ? sh`systemctl daemon-reload` : armScript(plan)),
  );
}

function armScript({ files }: LifetimePlan): ShellText {
  const isChanged = files.some((file) => file.change !== "same");
  return sh`
if [ ${isChanged ? "yes" : "no"} = yes ] || ! systemctl is-active -q ${timer}; then
  systemctl daemon-reload
  { systemctl enable -q ${timer} && systemctl restart ${timer} && systemctl start docker-machine-ttl.service; } 2>&1 ||
    fail remote-command "The time of $label could not be set: $(systemctl status -n 3 ${timer} 2>&1 | tail -n 3)"
fi`;
}

/** Before its files go. Who was warned is told. */
export const endLifetimeScript = sh`
if [ -e ${lifetimePaths.timer} ] && has systemctl; then systemctl disable -q --now ${timer} 2>&1; fi
if [ -e ${`${lifetimeState}/off-at`} ] && has wall; then wall "This machine goes on: it is not powered off." 2> /dev/null; fi
rm -rf ${lifetimeState}`;

/** What the host's own script says, a fact `lifetime` a line. */
export function tellLifetimeScript(queryMs: number): ShellText {
  return joinLines(
    scriptPrelude,
    lookingFunctions(queryMs),
    sh`output_fact lifetime sh ${lifetimePaths.script} tell
end`,
  );
}
