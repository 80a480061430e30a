/** What the operator is told: the log, the counters, the $SYS topics. */
export { type Histogram, LoopWatch, quantile } from './loop-watch.ts';
export { LoadAverage } from './load-average.ts';
export { type MetricFacts, type MetricRow, metricRows, type StoreFacts } from './metrics.ts';
export { metricsPage } from './metrics-page.ts';
export { prometheusText } from './prometheus.ts';
export { createMeter } from './counters.ts';
export { BrokerLog, type LogDestination, type LogOptions, type LogSettings, type Verbosity } from './log/broker-log.ts';
export type { LogMessage, LogPublisher } from './log/log-topics.ts';
export { SysTopics, type SysTopicsOptions } from './sys-publisher.ts';
export { bridgeTopics } from './bridge-topics.ts';
export { sysTopicsPage } from './sys-topics-page.ts';
export { sysTopicRows, type Gauges, type SysFacts, type SysRule, type SysTopicRow } from './sys-topics.ts';
