/** Inside images with an engine, or for one: the root file system of a container image of 2 MB with a shell, for `docker import`. */
const folder = "/usr/local/share/lab";

export const tinyImageTar = `${folder}/tiny.tar`;

/** Makes it, where busybox-static is installed. */
export function tinyImage(): string {
  return `
      mkdir -p /tmp/tiny/bin /tmp/tiny/tmp ${folder}
      cp /bin/busybox /tmp/tiny/bin/
      for name in sh echo cat ls sleep date seq true wc; do ln -s busybox "/tmp/tiny/bin/$name"; done
      tar -C /tmp/tiny -cf ${tinyImageTar} .
      rm -r /tmp/tiny
    `;
}
