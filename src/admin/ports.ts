/** What the operators' interface asks of the broker; server/ answers. */
import type { BackendPorts } from './backends.ts';
import type { BanPorts } from './bans.ts';
import type { BrokerControl, BrokerView, Log, Recorder } from '../broker/ports.ts';
import type {
  AccessChange,
  BridgesReport,
  DropsReport,
  ExplainReport,
  PlannedFile,
  QuarantineReport,
  ReloadReport,
  StatusReport,
} from './contract.ts';

/** For everybody who may ask how the broker is. */
export interface HealthPorts {
  /** Prometheus text. */
  metrics(): string;
  /** Null when clients are served as they should be; otherwise why not. */
  notReady(): string | null;
  log: Log;
}

/** For the operator, who may do everything. */
export interface OperatorPorts extends HealthPorts {
  view: BrokerView;
  status(): StatusReport;
  drops(): DropsReport;
  bridges(): BridgesReport;
  bans: BanPorts;
  backends: BackendPorts;
  control: BrokerControl;
  reload(): Promise<ReloadReport>;
  /** A text says what is wrong with the question. */
  explain(question: URLSearchParams): Promise<ExplainReport | string>;
  /** What a planned access file would change, found while the list is walked; null where it changes nothing. A text says why not. */
  accessChanges(planned: PlannedFile): Iterable<AccessChange | null> | string;
  /** What the flight recorder has in memory alone. */
  record(): Iterable<string>;
  /** Null where nothing is recorded. */
  recorder: Recorder | null;
  quarantine(): QuarantineReport;
  /** False when the device is in none. */
  release(device: string): boolean;
}
