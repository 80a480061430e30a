/** Files that the settings name and that hold secrets. */
import type { ListenerSettings, Settings } from './settings.ts';

export function secretFiles({ listeners, bridges, dynamicSecurity }: Settings): string[] {
  const files = [
    ...listeners.flatMap(ofListener),
    ...bridges.map(({ keyfile }) => keyfile),
    dynamicSecurity?.configFile,
    dynamicSecurity?.passwordInitFile,
  ];
  return files.filter(file => file !== null && file !== undefined);
}

function ofListener({ keyfile, keyfileRsa, security }: ListenerSettings): (string | null)[] {
  const ofBackends = security.authBackends.flatMap(backend => [backend.passwordFile, backend.keyfile, backend.keyFile]);
  return [keyfile, keyfileRsa, security.passwordFile, security.pskFile, ...ofBackends];
}
