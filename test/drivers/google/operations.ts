/** Operations of the fake Compute Engine: they take their time, and may fail in the end. */
import type { compute_v1 } from "@googleapis/compute";
import { zone } from "./catalogue.ts";

type Operation = compute_v1.Schema$Operation;

interface Failure {
  readonly code: string;
  readonly message: string;
}

interface Pending {
  readonly operation: Operation;
  left: number;
  readonly finish: () => Failure | undefined;
}

export class FakeOperations {
  /** Requests until one is done. */
  polls = 1;
  readonly #all = new Map<string, Pending>();
  readonly #failing: (Failure & { readonly verb: string })[] = [];

  /** The next operation of the kind fails at its end. @param verb `insert`, `start`, … */
  failNext(verb: string, code: string, message: string): void {
    this.#failing.push({ verb, code, message });
  }

  find(name: string): Operation | undefined {
    return this.#all.get(name)?.operation;
  }

  /** @param end what happens in the end; told whether it fails */
  begin(verb: string, place: "zonal" | "global", targetId: string, end: (failed: boolean) => unknown): Operation {
    const name = `operation-${this.#all.size + 1}`;
    const at = this.#failing.findIndex((one) => one.verb === verb);
    const failure = at === -1 ? undefined : this.#failing.splice(at, 1)[0];
    const where = place === "zonal" ? { zone } : {};
    const operation: Operation = { name, status: "RUNNING", targetId, operationType: verb, ...where };
    const finish = (): Failure | undefined => {
      end(failure !== undefined);
      return failure;
    };
    const pending = { operation, left: this.polls, finish };
    this.#all.set(name, pending);
    if (pending.left === 0) finishNow(pending);
    return { ...operation };
  }

  /** Whoever asks for anything sees everything further on. */
  letTimePass(): void {
    for (const pending of this.#all.values()) {
      if (pending.operation.status === "DONE") continue;
      pending.left -= 1;
      if (pending.left <= 0) finishNow(pending);
    }
  }
}

function finishNow({ operation, finish }: Pending): void {
  operation.status = "DONE";
  const failure = finish();
  if (failure !== undefined) operation.error = { errors: [{ code: failure.code, message: failure.message }] };
}
