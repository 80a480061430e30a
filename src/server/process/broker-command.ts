/** What the command line of the broker asks for. The command line fills it in, the server carries it out. */
export interface BrokerCommand {
  mode:
    | /** -c: as Mosquitto with this file. */ 'configuration-file'
    | /** -p without -c, or called `mosquitto` without anything: loopback only, no file. */ 'local-only'
    | /** Neither: the secure home, made at the first start. */ 'home';
  /** As written; null unless mode is `configuration-file`. */
  configurationFile: string | null;
  /** --home, else ZANCUDO_HOME, else null for the default place. Only for mode `home`. */
  home: string | null;
  /** Every -p, in order. */
  ports: number[];
  verbosity: 'configured' | 'verbose' | 'quiet';
  daemon: boolean;
  testConfiguration: boolean;
  /** Append TLS secrets to this file. */
  tlsKeylogFile: string | null;
}
