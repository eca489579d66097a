/** Writes docs/errors.md from the table of error codes: `node scripts/errors-doc.ts`. */
import { writeFileSync } from "node:fs";
import { errorCodes } from "../src/errors/codes.ts";
import { codesOfErrors, exitCodes } from "../src/cli/exit-code.ts";

export function errorsDocument(): string {
  const rows = Object.entries(errorCodes).map(([code, meaning]) => {
    const exit = codesOfErrors[code as keyof typeof codesOfErrors] ?? exitCodes.failure;
    return `| \`${code}\` | ${exit} | ${meaning} |`;
  });
  return [
    "# Errors",
    "",
    "Every outcome the program foresees has a code. `--debug` shows it (`Error code: …`), and `--output json` has it; the exit status follows from it.",
    "Made from `src/errors/codes.ts` by `node scripts/errors-doc.ts`.",
    "",
    "| Code | Exit | Meaning |",
    "|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

if (import.meta.main) writeFileSync("docs/errors.md", errorsDocument());
