/** How much a copy takes from a machine before it is called hostile, and how long its SFTP server may be silent. */

/** Folders in each other; the OpenSSH client's own limit. */
export const deepestFolder = 64;

/** Files and folders of one copy from a machine, and names in one listing. */
export const mostEntries = 1_000_000;

/** For the answer to one request: disks that wake up take seconds, file systems that hang take for ever. */
export const sftpAnswerMs = 60_000;
