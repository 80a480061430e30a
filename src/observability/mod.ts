/** What the operator is told: the log, the counters, the $SYS topics. */
export { createMeter } from './counters.ts';
export { BrokerLog, type LogDestination, type LogOptions, type LogSettings, type Verbosity } from './log/broker-log.ts';
export type { LogMessage, LogPublisher } from './log/log-topics.ts';
export { SysTopics, type SysTopicsOptions } from './sys-publisher.ts';
export { sysTopicsPage } from './sys-topics-page.ts';
export { sysTopicRows, type Gauges, type SysFacts, type SysRule, type SysTopicRow } from './sys-topics.ts';
