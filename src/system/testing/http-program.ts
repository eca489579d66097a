/** Sends requests as its argument says, and prints what became of each: for tests in runtimes other than their own. */
import { text } from "node:stream/consumers";
import { isHttpFailure } from "../http-failure.ts";
import type { HttpTrust } from "../http-dial.ts";
import { HttpClient, type HttpRequest } from "../http-request.ts";
import { systemClock } from "../clock.ts";

export interface HttpErrand {
  readonly request: HttpRequest;
  readonly env: Readonly<Record<string, string>>;
  readonly trust?: HttpTrust | undefined;
  /** By the agent, as an SDK would, in place of `send`. */
  readonly byAgent?: boolean | undefined;
}

export interface HttpOutcome {
  readonly status?: number | undefined;
  readonly text?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

async function run({ request, env, trust, byAgent }: HttpErrand): Promise<HttpOutcome> {
  const client = new HttpClient({ env, clock: systemClock, boundMs: 5_000, trust });
  try {
    if (byAgent === true) return await sendByAgent(client, request);
    const { status, text: body } = await client.send(request, AbortSignal.timeout(10_000));
    return { status, text: body };
  } catch (error) {
    if (isHttpFailure(error)) return { reason: error.reason, message: error.message };
    throw error;
  }
}

async function sendByAgent(client: HttpClient, { url }: HttpRequest): Promise<HttpOutcome> {
  const agent = await client.agent();
  const { get } = await import("node:https");
  return await new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      void text(answer).then((body) => resolve({ status: answer.statusCode, text: body }), reject);
    }).on("error", (error) => resolve({ message: error.message }));
  });
}

const outcomes: HttpOutcome[] = [];
for (const errand of JSON.parse(process.argv[2] ?? "[]") as HttpErrand[]) outcomes.push(await run(errand));
process.stdout.write(JSON.stringify(outcomes));
