/** Credentials in the engine's environment: in the vault, with marks in their place, as those of a driver are. */
import { secretsOfAssignment } from "../../log/assignment-secrets.ts";
import { markOf, marksIn, nameFrom, revealValue } from "./conceal.ts";
import type { Vault } from "./vault.ts";

/** Assignments as they may be stored: without credentials by their names, and passwords in URLs. What is concealed stays. */
export function concealAssignments(vault: Vault, assignments: readonly string[]): string[] {
  if (vault.isCompat) return revealAssignments(vault, assignments);
  return assignments.map((assignment) => {
    const [name = "", ...rest] = assignment.split("=");
    const open = secretsOfAssignment(assignment).filter((secret) => marksIn(secret).size === 0);
    const value = open.reduce(
      (text, secret) => text.replaceAll(secret, () => markOf(vault.keep(`engine-env.${nameFrom(name)}`, secret))),
      rest.join("="),
    );
    return rest.length === 0 ? assignment : `${name}=${value}`;
  });
}

/** As the engine gets them. A mark whose secret is not known stays. */
export function revealAssignments(vault: Vault, assignments: readonly string[]): string[] {
  const values = vault.values();
  return assignments.map((assignment) => revealValue(assignment, values));
}
