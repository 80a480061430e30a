/** Packet identifiers 1 to 65535 in turn; one that is in use is skipped (MQTT 5, 2.2.1). */
export class PacketIds {
  private readonly used = new Set<number>();
  private last = 0;

  /** Null when all are in use. */
  take(): number | null {
    if (this.used.size >= 65_535) return null;
    do this.last = this.last >= 65_535 ? 1 : this.last + 1;
    while (this.used.has(this.last));
    this.used.add(this.last);
    return this.last;
  }

  release(packetId: number): void {
    this.used.delete(packetId);
  }
}
