/**
 * Devices get their certificates while the broker runs: the office that issues them, and the HTTP door to it.
 *
 *   listener --HTTP inside TLS--> door (admin/enrolment) --+
 *   listener --MQTT-------------> service (admin) ---------+--> office (pki) --> access file --> rules in force
 *
 * The door is loaded with the first visitor: most days nobody comes.
 */
import type { Socket } from 'node:net';
import { systemClock } from '../base/mod.ts';
import type { Meter, Peer } from '../broker/ports.ts';
import type { Settings } from '../conf/mod.ts';
import type { BrokerLog } from '../observability/mod.ts';
import { diskRegistryStore, EnrolmentOffice, hasAuthority, PkiError, type Registry, sweepParcels } from '../pki/mod.ts';
import type { EnrolmentDoor } from '../admin/enrolment/mod.ts';
import { namesOfPeople, templateNamed, writeAccess } from './devices/mod.ts';

export interface Enrolment {
  office: EnrolmentOffice;
  /** Somebody speaks HTTP on a listener with `enrolment`. */
  onHttp(socket: Socket, peer: Peer): void;
  stop(): void;
}

interface EnrolmentOptions {
  settings: () => Settings;
  log: BrokerLog;
  meter: Meter;
  /** Reads the access files again; what was wrong, line by line. */
  reloadAccess: () => readonly string[];
}

/** Kits that nobody has fetched are looked through this often. */
const sweepMs = 60_000;

/** Null where no listener lets devices enrol. */
export function openEnrolment(options: EnrolmentOptions): Enrolment | null {
  const { listeners, caHome } = options.settings();
  if (caHome === null || listeners.every(each => each.enrolment !== true)) return null;
  if (!hasAuthority(caHome)) warnOfNoCa(options.log, caHome);
  const office = officeOf(caHome, options);
  const sweep = (): void => sweepParcels(caHome, systemClock.wall());
  sweep();
  const timer = setInterval(sweep, sweepMs).unref();
  let door: Promise<EnrolmentDoor> | null = null;
  let stopped = false;
  return {
    office,
    onHttp(socket, peer) {
      door ??= loadDoor(caHome, office, options);
      void door.then(open => (stopped ? socket.destroy() : open.take(socket, peer)));
    },
    stop() {
      stopped = true;
      clearInterval(timer);
      void door?.then(open => open.close());
    },
  };
}

async function loadDoor(
  folder: string,
  office: EnrolmentOffice,
  { log, meter }: EnrolmentOptions,
): Promise<EnrolmentDoor> {
  const { openEnrolmentDoor } = await import('../admin/enrolment/mod.ts');
  return openEnrolmentDoor({ folder, office, log, meter, wall: () => systemClock.wall() });
}

function officeOf(folder: string, { settings, log, reloadAccess }: EnrolmentOptions): EnrolmentOffice {
  let changed = false;
  return new EnrolmentOffice({
    folder,
    store: diskRegistryStore,
    graceDays: () => settings().enrolmentGraceDays,
    admit: (registry, name, template) => {
      templateNamed(folder, template);
      refusePeople(registry, name);
    },
    issued: registry => {
      changed = writeAccess(registry) || changed;
    },
    // The file is watched, but a device publishes at once.
    inForce: async () => {
      if (!changed) return;
      changed = false;
      for (const line of reloadAccess()) log.write('error', line, 'access.file-unreadable');
    },
  });
}

/** A device that is there already has its name; a new one must not get that of a person. */
function refusePeople({ ledger, folder }: Registry, name: string): void {
  if (ledger.identities.has(name) || !namesOfPeople(folder).has(name)) return;
  throw new PkiError({
    code: 'pki.name-taken',
    where: name,
    saw: 'a user with a password, or one with rules of his own, has this name by now',
    why: 'A certificate of that name would make its owner him.',
    remedy: ['Invite the device by another name.'],
  });
}

function warnOfNoCa(log: BrokerLog, folder: string): void {
  log.write('warning', `Warning: 'enrolment true', but there is no CA in ca_home ${folder}: nobody can enrol.`, {
    code: 'enrolment.no-ca',
    file: folder,
  });
  log.write('warning', `  Make it: zancudo ca init --home ${folder}`, 'enrolment.no-ca');
}
