/** Writes src/cli/completion/scripts.ts from the files in completions/: `node scripts/completion-scripts.ts`. */
import { readFileSync, writeFileSync } from "node:fs";

/** The files that `docker-machine completion SHELL` prints, one after the other. */
const filesOfShells = {
  bash: ["docker-machine.bash", "docker-machine-prompt.sh", "docker-machine-wrapper.sh"],
  zsh: ["_docker-machine", "docker-machine-prompt.sh", "docker-machine-wrapper.sh"],
  fish: ["docker-machine.fish"],
  powershell: ["docker-machine.ps1"],
} as const;

export const target = "src/cli/completion/scripts.ts";

export function completionScriptsModule(): string {
  const files = [...new Set(Object.values(filesOfShells).flat())];
  return [
    "/** What `completion` prints. Made from the files in completions/ by `node scripts/completion-scripts.ts`. */",
    "",
    ...files.flatMap((file) => [`const ${identifierOf(file)} = [`, ...linesOf(file), '].join("\\n");', ""]),
    "export const completionScripts = {",
    ...Object.entries(filesOfShells).map(([shell, parts]) => `  ${shell}: ${parts.map(identifierOf).join(" + ")},`),
    "} as const;",
    "",
    "/** Completion alone, for shells that load it by themselves once it is wanted. */",
    "export const completionAlone = {",
    ...(["bash", "zsh", "fish"] as const).map((shell) => `  ${shell}: ${identifierOf(filesOfShells[shell][0])},`),
    "} as const;",
    "",
  ].join("\n");
}

function linesOf(file: string): string[] {
  return readFileSync(`completions/${file}`, "utf8")
    .split("\n")
    .map((line) => `  ${literalOf(line)},`);
}

/** In the quotes that the formatter would choose. */
function literalOf(line: string): string {
  const count = (quote: string): number => line.split(quote).length;
  const quote = count('"') > count("'") ? "'" : '"';
  return quote + line.replaceAll("\\", "\\\\").replaceAll("\t", "\\t").replaceAll(quote, `\\${quote}`) + quote;
}

/** `docker-machine-prompt.sh` is `dockerMachinePromptSh`. */
function identifierOf(file: string): string {
  return file.replace(/^_/u, "zsh-").replaceAll(/[-.](\w)/gu, (_, letter: string) => letter.toUpperCase());
}

if (import.meta.main) writeFileSync(target, completionScriptsModule());
