/** A raw disk that a PC would boot: code and a signature in its first sector, some content behind. */
export function bootDisk({ bytes = 1024 * 1024, content = "a system" } = {}): Buffer {
  const disk = Buffer.alloc(bytes);
  disk.write("\xeb\x63\x90", 0, "latin1");
  disk.writeUInt16LE(0xaa55, 510);
  disk.write(content, 4096);
  return disk;
}
