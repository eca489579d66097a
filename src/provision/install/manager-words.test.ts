/** What dnf 4.14, zypper 1.14, pacman 6.0 and apt 2.6 really print when they fail, and apk by its manual; and what a user is told of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { explanationIn } from "./manager-words.ts";

const cases: Readonly<Record<string, readonly [words: string, text: string, isSentence?: boolean]>> = {
  "dnf: an installed package that pins another": [
    `Last metadata expiration check: 0:01:21 ago on Sat Nov 28 06:21:53 2026.
Error: 
 Problem: problem with installed package site-policy-1.0-1.el9.noarch
  - package site-policy-1.0-1.el9.noarch conflicts with container-selinux > 2:2.100 provided by container-selinux-2:2.229.0-2.el9.noarch
  - package docker-ce-3:20.10.24-3.el9.x86_64 requires container-selinux >= 2:2.74, but none of the providers can be installed
  - cannot install the best candidate for the job
(try to add '--allowerasing' to command line to replace conflicting packages or '--skip-broken' to skip uninstallable packages or '--nobest' to use not only best candidate packages)`,
    "the installed site-policy-1.0-1.el9.noarch conflicts with container-selinux > 2:2.100 provided by container-selinux-2:2.229.0-2.el9.noarch; docker-ce-3:20.10.24-3.el9.x86_64 requires container-selinux >= 2:2.74, but none of the providers can be installed",
    true,
  ],
  "dnf: several problems": [
    `Error: 
 Problem 1: package docker-ce-3:20.10.24-3.el9.x86_64 requires containerd.io >= 1.4.1, but none of the providers can be installed
  - package containerd.io-1.6.20-3.1.el9.x86_64 from docker-ce-stable is filtered out by modular filtering
  - conflicting requests
 Problem 2: conflicting requests
  - nothing provides libcgroup needed by docker-ce-3:20.10.5-3.el9.x86_64 from docker-ce-stable
(try to add '--skip-broken' to skip uninstallable packages)`,
    "docker-ce-3:20.10.24-3.el9.x86_64 requires containerd.io >= 1.4.1, but none of the providers can be installed; containerd.io-1.6.20-3.1.el9.x86_64 from docker-ce-stable is filtered out by modular filtering; nothing provides libcgroup needed by docker-ce-3:20.10.5-3.el9.x86_64 from docker-ce-stable",
    true,
  ],
  "dnf: an exclusion": [
    `Last metadata expiration check: 0:01:37 ago on Sat Nov 28 06:21:53 2026.
All matches were filtered out by exclude filtering for argument: docker-ce
All matches were filtered out by exclude filtering for argument: docker-ce-cli
Error: Unable to find a match: docker-ce docker-ce-cli`,
    `All matches were filtered out by exclude filtering for argument: docker-ce
All matches were filtered out by exclude filtering for argument: docker-ce-cli
Error: Unable to find a match: docker-ce docker-ce-cli`,
  ],
  "dnf: another key than the one that signed": [
    `Downloading Packages:
Importing GPG key 0xB7A89BED:
 Userid     : "Stranger (lab) <stranger@localhost>"
Key imported successfully
Import of key(s) didn't help, wrong key(s)?
Public key for iptables-nft-1.8.9-2.el9.x86_64.rpm is not installed. Failing package is: iptables-nft-1.8.9-2.el9.x86_64
 GPG Keys are configured as: file:///etc/pki/rpm-gpg/RPM-GPG-KEY-system
Error: GPG check FAILED`,
    `Import of key(s) didn't help, wrong key(s)?
Public key for iptables-nft-1.8.9-2.el9.x86_64.rpm is not installed. Failing package is: iptables-nft-1.8.9-2.el9.x86_64
GPG Keys are configured as: file:///etc/pki/rpm-gpg/RPM-GPG-KEY-system
Error: GPG check FAILED`,
  ],
  "dnf: a description of a repository that does not verify": [
    `Rocky Linux 9 - BaseOS                           12 kB/s | 683  B     00:00    
Error: Failed to download metadata for repo 'baseos': repomd.xml GPG signature verification error: Bad GPG signature`,
    "Error: Failed to download metadata for repo 'baseos': repomd.xml GPG signature verification error: Bad GPG signature",
  ],
  "zypper: an installed package that conflicts": [
    `
Problem: podman-docker-4:4.9.4-1.150600.1.1.noarch conflicts with docker provided by docker-20.10.24_ce-150600.1.1.x86_64
 Solution 1: deinstallation of podman-docker-4:4.9.4-1.150600.1.1.noarch
 Solution 2: do not install docker-20.10.24_ce-150600.1.1.x86_64

Choose from above solutions by number or cancel [1/2/c/d/?] (c): c`,
    "podman-docker-4:4.9.4-1.150600.1.1.noarch conflicts with docker provided by docker-20.10.24_ce-150600.1.1.x86_64",
    true,
  ],
  "zypper: a file that the mirror lacks": [
    `4 new packages to install.
Continue? [y/n/v/...? shows all options] (y): y
File './runc-1.1.5-150600.1.1.x86_64.rpm' not found on medium 'dir:/repository/system/suse'
Abort, retry, ignore? [a/r/i/...? shows all options] (a): a
Problem occurred during or after installation or removal of packages:
Installation has been aborted as directed.`,
    "File './runc-1.1.5-150600.1.1.x86_64.rpm' not found on medium 'dir:/repository/system/suse'",
  ],
  "zypper: a repository that is not signed by a key that is trusted": [
    `Signature verification failed for file 'repomd.xml' from repository 'Main Repository'. Continue? [yes/no] (no): no
Repository 'Main Repository' is invalid.
[repo-oss|dir:/repository/system/suse] Valid metadata not found at specified URL
History:
 - Signature verification failed for repomd.xml
 - Can't provide /repodata/repomd.xml

Warning: Skipping repository 'Main Repository' because of the above error.
Some of the repositories have not been refreshed because of an error.
No provider of 'docker' found.`,
    `Signature verification failed for file 'repomd.xml' from repository 'Main Repository'. Continue? [yes/no] (no): no
Repository 'Main Repository' is invalid.
- Signature verification failed for repomd.xml
- Can't provide /repodata/repomd.xml
No provider of 'docker' found.`,
  ],
  "zypper: a mirror that is dead": [
    `Repository 'Main Repository' is invalid.
[repo-oss|http://127.0.0.1:9/x] Valid metadata not found at specified URL
History:
 - [|] Error trying to read from 'http://127.0.0.1:9/x'
 - Download (curl) error for 'http://127.0.0.1:9/x/content':
Error code: Connection failed
Error message: Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server


Skipping repository 'Main Repository' because of the above error.
Could not refresh the repositories because of errors.`,
    `Repository 'Main Repository' is invalid.
- Download (curl) error for 'http://127.0.0.1:9/x/content':
Error message: Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server`,
  ],
  "pacman: packages in conflict": [
    `resolving dependencies...
looking for conflicting packages...
:: docker and podman-docker are in conflict. Remove podman-docker? [y/N] error: unresolvable package conflicts detected
error: failed to prepare transaction (conflicting dependencies)

:: docker and podman-docker are in conflict`,
    "docker and podman-docker are in conflict",
    true,
  ],
  "pacman: what a package needs": [
    `error: failed to prepare transaction (could not satisfy dependencies)
:: unable to satisfy dependency 'x' required by glibc
:: unable to satisfy dependency 'glibc' required by runc`,
    "unable to satisfy dependency 'x' required by glibc; unable to satisfy dependency 'glibc' required by runc",
    true,
  ],
  "pacman: what a package needs, below a question": [
    `resolving dependencies...
warning: cannot resolve "bridge-utils", a dependency of "docker"
:: The following package cannot be upgraded due to unresolvable dependencies:
      docker
:: Do you want to skip the above package for this upgrade? [y/N] error: failed to prepare transaction (could not satisfy dependencies)
:: unable to satisfy dependency 'bridge-utils' required by docker`,
    "unable to satisfy dependency 'bridge-utils' required by docker",
    true,
  ],
  "pacman: a file that the mirror lacks": [
    ` runc-1.1.5-1-x86_64 downloading...
error: failed retrieving file 'runc-1.1.5-1-x86_64.pkg.tar.zst' from mirror : The requested URL returned error: 404
warning: failed to retrieve some files
error: failed to commit transaction (download library error)
Errors occurred, no packages were upgraded.`,
    `error: failed retrieving file 'runc-1.1.5-1-x86_64.pkg.tar.zst' from mirror : The requested URL returned error: 404
error: failed to commit transaction (download library error)`,
  ],
  "apk: what it lacks": [
    `fetch http://mirror/alpine/v3.20/main/x86_64/APKINDEX.tar.gz
ERROR: unable to select packages:
  docker (no such package):
    required by: world[docker]`,
    `ERROR: unable to select packages:
docker (no such package):
required by: world[docker]`,
  ],
  "apt: what breaks another": [
    `The following packages have unmet dependencies:
 dnf-plugins-core : Breaks: zypper but 1.14.42-2 is to be installed
E: Unable to correct problems, you have held broken packages.`,
    `The following packages have unmet dependencies:
dnf-plugins-core : Breaks: zypper but 1.14.42-2 is to be installed
E: Unable to correct problems, you have held broken packages.`,
  ],
};

for (const [name, [words, text, isSentence = false]] of Object.entries(cases)) {
  test(name, () => {
    assert.deepEqual(explanationIn(words.split("\n")), { text, isSentence });
  });
}
