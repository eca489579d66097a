/** Runs the jobs of a group, some at one time, within the group's bound. */
import { inWords, runJob, unrunJob, type Job, type JobContext, type JobResult } from "./test-job.ts";
import { openKeeper } from "./test-keeper.ts";

export interface JobGroup {
  readonly name: string;
  readonly jobs: readonly Job[];
  readonly atOnce: number;
  readonly boundMs: number;
  /** A program that keeps something open for the group; see test-keeper.ts. */
  readonly keeper?: string | undefined;
}

/** Each job has a result, whatever happens; those of jobs that the bound left no time for are failures. */
export async function runGroup(group: JobGroup, context: JobContext): Promise<JobResult[]> {
  const tooLong = new AbortController();
  const bound = setTimeout(
    () => tooLong.abort(new Error(`the ${inWords(group.boundMs)} of the group "${group.name}" were over`)),
    group.boundMs,
  );
  const inGroup = { ...context, signal: AbortSignal.any([context.signal, tooLong.signal]) };
  try {
    if (group.keeper === undefined) return await runAll(group, inGroup);
    const keeper = await openKeeper(group.keeper, inGroup);
    const results = await runAll(group, inGroup);
    const trouble = await keeper.close();
    return trouble === undefined ? results : [...results, failedKeeper(group.keeper, trouble)];
  } catch (error) {
    context.say(`\n✖ ${group.name}: ${(error as Error).message}\n`);
    return group.jobs.map((job) => unrunJob(job, (error as Error).message));
  } finally {
    clearTimeout(bound);
  }
}

function failedKeeper(name: string, trouble: string): JobResult {
  return { name, ms: 0, passed: 0, failed: [trouble], skipped: [] };
}

async function runAll(group: JobGroup, context: JobContext): Promise<JobResult[]> {
  const waiting = [...group.jobs];
  const results: JobResult[] = [];
  const work = async (): Promise<void> => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) {
      const result = context.signal.aborted
        ? unrunJob(job, (context.signal.reason as Error).message)
        : await runJob(job, context);
      results.push(result);
      context.say(lineOf(result));
    }
  };
  await Promise.all(Array.from({ length: group.atOnce }, work));
  return results;
}

function lineOf({ name, ms, passed, failed, skipped }: JobResult): string {
  const counts = [`${passed} passed`];
  if (failed.length > 0) counts.push(`${failed.length} failed`);
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  return `${(ms / 1000).toFixed(1).padStart(7)} s  ${name}: ${counts.join(", ")}`;
}
