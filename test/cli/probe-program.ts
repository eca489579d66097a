/** The command line's frame on real streams and signals, with commands that only try these. */
import { commandSource, type Command, type CommandModule } from "../../src/cli/command.ts";
import { main } from "../../src/cli/main.ts";
import { endWith, processContext } from "../../src/cli/terminal/process-context.ts";
import { processStreams } from "../../src/cli/terminal/process-streams.ts";
import { programPath } from "../../src/cli/terminal/program-path.ts";
import { thisComputer } from "../../src/system/computer.ts";

const code: Readonly<Record<string, CommandModule["run"]>> = {
  confirm: async (_invocation, context) => {
    context.print((await context.confirm("Sure?")) ? "confirmed" : "refused");
  },
  secret: async (_invocation, context) => {
    const secret = await context.askSecret("Password: ");
    context.print(secret === undefined ? "nobody to ask" : `${secret.length} characters, ${secret}`);
  },
  flood: async (_invocation, context) => {
    for (let line = 0; line < 50_000; line += 1) context.print(`line ${line}`);
    return 7;
  },
  wait: async (_invocation, context) => {
    context.print("waiting");
    await new Promise((_resolve, reject) => {
      const busy = setInterval(() => {}, 1_000);
      context.signal.addEventListener("abort", () => {
        clearInterval(busy);
        reject(context.signal.reason as Error);
      });
    });
  },
  stubborn: async (_invocation, context) => {
    context.print("waiting");
    await new Promise(() => setInterval(() => {}, 1_000));
  },
  leak: async () => {
    setInterval(() => {}, 1_000);
    return 5;
  },
  fault: async () => {
    setTimeout(() => {
      throw new TypeError("late");
    });
    await new Promise(() => setInterval(() => {}, 1_000));
  },
  rejection: async () => {
    void Promise.reject(new TypeError("late"));
    await new Promise(() => setInterval(() => {}, 1_000));
  },
  argv: async (_invocation, context) => context.printJson(context.commandLine),
};

const commands = Object.entries(code).map(([name, run]): Command => ({
  name,
  summary: name,
  flags: [],
  output: "progress",
  load: async () => ({ run }),
}));
const computer = thisComputer();
const argv = [programPath(process, computer), ...process.argv.slice(2)];
const streams = processStreams(computer);
endWith(await main(argv, computer, streams, processContext(commandSource(commands))), streams);
