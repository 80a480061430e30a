/** What the operators' interface asks of the broker; server/ answers. */
import type { BrokerView, Log } from '../broker/ports.ts';
import type { DropsReport, ReloadReport, StatusReport } from './contract.ts';

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
  reload(): Promise<ReloadReport>;
}
