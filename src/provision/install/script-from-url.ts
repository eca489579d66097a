/** An install script from the web, as 0.16.2 ran it; downloaded whole before a line of it runs. */
import type { HostFacts } from "../facts/facts.ts";
import type { EngineRequest } from "../provision-request.ts";
import { sh } from "../shell/shell-text.ts";
import type { Installation } from "./installation.ts";
import { neededTools } from "./needed-tools.ts";
import type { PackageManager } from "./package-manager.ts";

export function scriptInstallation(facts: HostFacts, engine: EngineRequest, manager?: PackageManager): Installation {
  const tools = neededTools(facts, manager, engine.installUrl);
  return {
    source: "script",
    title: `the script ${engine.installUrl}`,
    steps: [...tools.steps, `download ${engine.installUrl} and run it as root; what it changes is up to it`],
    files: [],
    manager,
    install: () => sh`
${tools.script}
sources() { ls -d /etc/apt/sources.list.d/* /etc/apt/keyrings/* /etc/yum.repos.d/* /etc/pki/rpm-gpg/* 2> /dev/null; }
sources_before=$(sources)
script=$(mktemp) || exit 1
download ${engine.installUrl} "$script" || { rm -f "$script"; fail download-failed ${`The install script ${engine.installUrl} could not be downloaded`}; }
${engine.version !== undefined && sh`VERSION=${engine.version}; export VERSION`}
[ "$may_remove" = yes ] || pkg_keep_all
before_engine_changes
sh "$script" < /dev/null 2>&1
status=$?
rm -f "$script"
sources | grep -vxF "$sources_before" | while IFS= read -r file; do remember file-created "$file"; changed "$file"; done
[ "$status" = 0 ] || fail package-manager ${`The install script ${engine.installUrl} failed`}`,
  };
}
