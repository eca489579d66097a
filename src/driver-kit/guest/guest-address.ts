/** Which of the addresses that are told of a guest on this computer leads to it. No I/O. */

/** IPv4, neither of the guest alone, nor without a router, nor the bridge of the engine in it. */
export function isReachable(address: string): boolean {
  return (
    /^\d{1,3}(?:\.\d{1,3}){3}$/u.test(address) && !/^(?:0\.|127\.|169\.254\.|172\.17\.0\.1$|22[4-9]\.|23\d\.)/u.test(address)
  );
}
