/** Shell that makes a host of the lab one of another operating system, before it first boots. */
import { quoteWord } from "../../../src/ssh/shell-quote.ts";
import type { SystemFacts } from "./systems.ts";

/** os-release and its like, in a package of the system's where it has such. */
export function become(system: SystemFacts): string {
  return [
    `printf '%s\\n' ${quoteWord(osReleaseText(system.osRelease))} > /usr/lib/os-release`,
    "ln -sf ../usr/lib/os-release /etc/os-release",
    ...(system.redhatRelease === undefined
      ? []
      : [`printf '%s\\n' ${quoteWord(system.redhatRelease)} > /etc/redhat-release; ln -sf redhat-release /etc/system-release`]),
    ...(system.manager === "apk" ? [`echo ${system.osRelease["VERSION_ID"] ?? ""} > /etc/alpine-release`] : []),
    ...(system.prepare === undefined ? [] : [system.prepare]),
    ...(system.release === undefined ? [] : [registerRelease(system.release)]),
  ].join("\n");
}

function osReleaseText(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}="${value}"`)
    .join("\n");
}

/** dnf takes the release for its repositories from the package that provides it. */
function registerRelease(release: NonNullable<SystemFacts["release"]>): string {
  const spec = `Name: ${release.name}
Version: ${release.version}
Release: 1
Summary: The release
License: none
AutoReqProv: no
Provides: ${release.provides.join(", ")}
%description
Of the base.
%files
/usr/lib/os-release
`;
  return `
folder=$(mktemp -d)
printf '%s' ${quoteWord(spec)} > $folder/spec
install -D -m 644 /usr/lib/os-release $folder/root/usr/lib/os-release
rpmbuild --quiet -bb --buildroot $folder/root --define "_rpmdir $folder/packages" --define "_topdir $folder/top" $folder/spec 2> /dev/null
rpm -i --justdb --nodeps $folder/packages/*/*.rpm
rm -rf $folder`;
}
