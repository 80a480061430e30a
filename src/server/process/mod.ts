/** The process around the broker: who it runs as, how it is told apart, started, signalled and watched. */
export type { BrokerCommand } from './broker-command.ts';
export { startDaemon, takeDaemonChannel, type DaemonChannel } from './daemon.ts';
export { applyUmask, dropPrivileges, type PrivilegeRequest, type PrivilegesDropped } from './drop-privileges.ts';
export { exitCodeMeanings, exitCodes } from './exit-codes.ts';
export type { ProcessFailure } from './failure.ts';
export { writePidFile, type PidFile } from './pid-file.ts';
export { connectServiceManager, type ServiceManager, type ServiceManagerOptions } from './sd-notify.ts';
export { listenForSignals, signalActions, type SignalAction } from './signals.ts';
export { productVersion } from './version.ts';
