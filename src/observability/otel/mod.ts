/** Traces of messages for OpenTelemetry; loaded where a collector is configured. */
export { Exporter, type ExporterSettings } from './exporter.ts';
export type { Resource, Span } from './span.ts';
export { Tracer, type TracerSettings } from './tracer.ts';
