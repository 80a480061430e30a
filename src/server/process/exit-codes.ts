/** The broker's exit codes, those of Mosquitto 2.1. */
export const exitCodes = {
  /** Stopped by a signal, help, version, a configuration that was only tested and is good. */
  ok: 0,
  /** A listener: port in use, certificate that does not load; a command line that names no command. */
  failure: 1,
  /** A bad option or configuration, an unknown user. */
  configuration: 3,
  /** A password, access or PSK file or a plugin that cannot be opened. */
  securityFile: 13,
  pidFile: 14,
} as const;
