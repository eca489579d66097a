/** A formula for Homebrew and a manifest for Scoop: which file of the release, and its sum. Pure. */

type Sums = Readonly<Record<string, string>>;

/** @param from where the files of this release are, without a slash at the end */
export function formulaOf(version: string, from: string, sums: Sums): string {
  const piece = (name: string): string =>
    `url "${from}/docker-machine-${name}"\n      sha256 "${sums[`docker-machine-${name}`] ?? ""}"`;
  return `class DockerMachine < Formula
  desc "Create Docker hosts and manage many of them"
  version "${version}"
  license "Apache-2.0"

  on_macos do
    on_arm do
      ${piece("darwin-arm64")}
    end
    on_intel do
      ${piece("darwin-x64")}
    end
  end

  on_linux do
    on_arm do
      ${piece("linux-arm64")}
    end
    on_intel do
      ${piece("linux-x64")}
    end
  end

  def install
    bin.install Dir["docker-machine-*"].first => "docker-machine"
    generate_completions_from_executable(bin/"docker-machine", "completion", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/docker-machine version")
  end
end
`;
}

export function manifestOf(version: string, from: string, sums: Sums): string {
  const file = "docker-machine-windows-x64.exe";
  const manifest = {
    version,
    description: "Create Docker hosts and manage many of them",
    license: "Apache-2.0",
    architecture: { "64bit": { url: `${from}/${file}#/docker-machine.exe`, hash: sums[file] ?? "" } },
    bin: "docker-machine.exe",
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}
