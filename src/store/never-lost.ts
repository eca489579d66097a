/** What the lock of a store on this computer says of its end: the operating system takes it from nobody who lives. */
export const neverLost: AbortSignal = new AbortController().signal;
