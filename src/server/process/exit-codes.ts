/** The broker's exit codes, those of Mosquitto 2.1. */
export const exitCodes = { ok: 0, failure: 1, configuration: 3, securityFile: 13, pidFile: 14 } as const;

export const exitCodeMeanings: Record<keyof typeof exitCodes, string> = {
  ok: 'Stopped by a signal; help or version shown; the tested configuration is good; the daemon is ready.',
  failure: 'A listener cannot be opened (port in use, certificate that does not load), or there is no such command.',
  configuration: 'A bad option or configuration file, a user that does not exist.',
  securityFile: 'A password, access or PSK file or a plugin cannot be opened.',
  pidFile: 'The pid file cannot be written.',
};
