/**
 * BrokerLog is the Log of broker/ports.ts: one text in, one line out to every destination of the configuration.
 *
 *   write(class, text, about) ─ wanted? ─ repeated? ─ format ─┬─► standard error, standard output, log file
 *                                              │              ├─► syslog
 *                                         folding.ts          └─► $SYS/broker/log/...
 *
 * Lines of one turn of the event loop leave together (setImmediate), and what is left at the end of the process leaves
 * in the `exit` handler. Until configure() is called, and whenever a log file cannot be opened, lines go to standard
 * error.
 */
import type { About, Code } from '../../base/mod.ts';
import type { Clock, Log, LogClass } from '../../broker/ports.ts';
import { defaultLogClasses, logClasses } from './classes.ts';
import { DescriptorSink } from './descriptor-sink.ts';
import { explainLogFileError, LogFile } from './log-file.ts';
import { Folding } from './folding.ts';
import { jsonLines } from './json-line.ts';
import { type LineWriter, momentWriter, textLines } from './log-line.ts';
import { LogTopics, type LogPublisher } from './log-topics.ts';
import { openStandardStream, type StandardStream } from './standard-stream.ts';
import type { Sink } from './sink.ts';
import { Syslog } from './syslog.ts';

/** dlt and android exist on other systems only; the configuration says so, and here they are no destination. */
export type LogDestination =
  { kind: 'stderr' | 'stdout' | 'syslog' | 'topic' | 'dlt' | 'android' } | { kind: 'file'; path: string };

export interface LogSettings {
  destinations: readonly LogDestination[];
  classes: readonly LogClass[];
  /** Syslog local0 to local7; null is the daemon facility. */
  facility: number | null;
  timestamp: boolean;
  /** strftime text; null is Unix seconds. */
  timestampFormat: string | null;
  /** `json` is one object a line. */
  format: 'text' | 'json';
  /** Lines of one kind from one address in a minute before the rest is only counted; 0 writes each. */
  foldAfter: number;
  /** Lines about connects and disconnects. */
  connectionMessages: boolean;
}

/** -v and -q beat log_type; -q beats -v. */
export type Verbosity = 'configured' | 'verbose' | 'quiet';

export interface LogOptions {
  clock: Pick<Clock, 'wall'>;
  verbosity?: Verbosity;
  /** Name in syslog. `mosquitto`, so that filter rules written for it go on to work. */
  ident?: string;
  /** A daemon's standard error until it is ready is a pipe to the process that started it. */
  standardErrorFd?: number;
  /** Another socket than /dev/log. */
  syslogSocketPath?: string;
}

const settingsBeforeConfiguration: LogSettings = {
  destinations: [{ kind: 'stderr' }],
  classes: defaultLogClasses,
  facility: null,
  timestamp: true,
  timestampFormat: null,
  format: 'text',
  foldAfter: 0,
  connectionMessages: true,
};

export class BrokerLog implements Log {
  debug = false;
  subscribe = false;
  unsubscribe = false;
  connections = true;
  /** Hears every line before it is asked whether anybody wants it; for a reload that has to tell what happened. */
  overhear: ((as: LogClass, text: string, about: About | null) => void) | null = null;
  /** Hears every line of the class error, whether anybody wants it or not: for the flight recorder. */
  onError: ((text: string, about: About | null) => void) | null = null;
  #options: LogOptions;
  #standardError: StandardStream;
  #standardOutput: StandardStream;
  #settings = settingsBeforeConfiguration;
  #wanted: ReadonlySet<LogClass> = new Set();
  #format: LineWriter;
  #folding: Folding;
  #sinks: Sink[] = [];
  #standardErrorSink: DescriptorSink | null = null;
  #files: LogFile[] = [];
  #topics: LogTopics | null = null;
  #publisher: LogPublisher | null = null;
  #flushing: NodeJS.Immediate | null = null;
  #atExit = () => this.close();

  constructor(options: LogOptions) {
    this.#options = options;
    this.#standardError = openStandardStream(options.standardErrorFd ?? 2);
    this.#standardOutput = openStandardStream(1);
    this.#format = (_as, text) => text;
    this.#folding = this.#newFolding(settingsBeforeConfiguration);
    process.on('exit', this.#atExit);
    this.configure(settingsBeforeConfiguration);
  }

  write(as: LogClass, text: string, about?: About | Code): void {
    const known = typeof about === 'string' ? { code: about } : (about ?? null);
    this.overhear?.(as, text, known);
    if (as === 'error') this.onError?.(text, known);
    if (!this.#wanted.has(as)) return;
    if (known === null || !this.#folding.holds(as, text, known)) this.#put(as, text, known);
  }

  /** How lines look from now on; `configure` decides the rest when the broker is ready for it. */
  adoptStyle(settings: Pick<LogSettings, 'format' | 'timestamp' | 'timestampFormat'>): void {
    const lines = settings.format === 'json' ? jsonLines : textLines;
    this.#format = lines(settings, () => this.#options.clock.wall());
  }

  /** At start and on every reload. Destinations are closed and opened anew. */
  configure(settings: LogSettings): void {
    this.#folding.settle();
    this.#closeSinks();
    this.#settings = settings;
    this.#wanted = wantedClasses(settings, this.#options.verbosity ?? 'configured');
    this.debug = this.#wanted.has('debug');
    this.subscribe = this.#wanted.has('subscribe');
    this.unsubscribe = this.#wanted.has('unsubscribe');
    this.connections = settings.connectionMessages && this.#wanted.has('notice');
    this.adoptStyle(settings);
    this.#folding = this.#newFolding(settings);
    for (const destination of settings.destinations) this.#open(destination);
  }

  /** From now on `log_dest topic` has somebody to publish; null when the broker stops. */
  publishTo(publisher: LogPublisher | null): void {
    this.#publisher = publisher;
    if (this.#topics !== null) this.#topics.publish = publisher;
  }

  /** Opens log files by their names again, for those who rotate them. */
  reopen(): void {
    if (this.#files.length < this.#settings.destinations.filter(each => each.kind === 'file').length) {
      // A file that could not be opened before gets another chance.
      this.configure(this.#settings);
    } else {
      for (const file of this.#files) file.reopen();
    }
  }

  /** A daemon that is ready lets go of the pipe to whoever started it. */
  redirectStandardError(fd: number): void {
    this.flush();
    this.#standardError.close();
    this.#standardError = openStandardStream(fd);
    if (this.#standardErrorSink !== null) this.#standardErrorSink.fd = this.#standardError.fd;
  }

  /** Everything written so far is handed to the destinations. */
  flush(): void {
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    this.#flushing = null;
    for (const sink of this.#sinks) sink.flush();
  }

  close(): void {
    process.removeListener('exit', this.#atExit);
    this.#folding.settle();
    this.flush();
    this.#closeSinks();
    this.#standardError.close();
    this.#standardOutput.close();
  }

  #put(as: LogClass, text: string, about: About | null): void {
    const line = this.#format(as, text, about);
    for (const sink of this.#sinks) sink.write(line, as);
    this.#flushing ??= setImmediate(() => this.flush());
  }

  #newFolding({ foldAfter, timestampFormat, format }: LogSettings): Folding {
    const { clock } = this.#options;
    return new Folding(foldAfter, {
      now: () => performance.now(),
      wall: () => clock.wall(),
      moment: momentWriter(timestampFormat ?? (format === 'json' ? 'iso' : null)),
      write: ({ as, text, about }) => this.#put(as, text, about),
    });
  }

  /** A line of a destination about itself. */
  #ownLine = (text: string): string => this.#format('warning', text, { code: 'log.lines-dropped' });

  #closeSinks(): void {
    for (const sink of this.#sinks) sink.close();
    this.#sinks = [];
    this.#standardErrorSink = null;
    this.#files = [];
    this.#topics = null;
  }

  #open(destination: LogDestination): void {
    if (destination.kind === 'stderr') this.#openStandardError();
    if (destination.kind === 'stdout') this.#sinks.push(this.#descriptor(this.#standardOutput.fd, 'standard output'));
    if (destination.kind === 'file') this.#openFile(destination.path);
    if (destination.kind === 'syslog') this.#openSyslog();
    if (destination.kind === 'topic') this.#openTopics();
  }

  /** Once at most, also when a log file falls back to it. */
  #openStandardError(): void {
    if (this.#standardErrorSink !== null) return;
    this.#standardErrorSink = this.#descriptor(this.#standardError.fd, 'standard error');
    this.#sinks.push(this.#standardErrorSink);
  }

  #descriptor(fd: number, name: string): DescriptorSink {
    // Nobody is left to be told when standard error itself is gone.
    return new DescriptorSink({ fd, name, format: this.#ownLine, onError: () => {} });
  }

  #openFile(path: string): void {
    const cannotOpen = (error: NodeJS.ErrnoException) =>
      this.#emergency('log.cannot-open', [
        `Error: Unable to open log file ${path} for writing.`,
        explainLogFileError(path, error),
      ]);
    const cannotWrite = (error: NodeJS.ErrnoException) =>
      this.#emergency('log.cannot-write', [
        `Error: Unable to write to log file ${path}.`,
        explainLogFileError(path, error),
      ]);
    try {
      const file = new LogFile({ path, format: this.#ownLine, onError: cannotWrite, onReopenError: cannotOpen });
      this.#files.push(file);
      this.#sinks.push(file);
    } catch (error) {
      this.#openStandardError();
      cannotOpen(error as NodeJS.ErrnoException);
    }
  }

  #openSyslog(): void {
    const onFailure = (why: string) =>
      this.#emergency('log.cannot-write', [
        `Error: Unable to write to syslog: ${why}.`,
        `  Lines for syslog are dropped. Start a syslog daemon that listens on /dev/log, or choose another log_dest.`,
      ]);
    const { ident = 'mosquitto', syslogSocketPath: socketPath } = this.#options;
    const options = { ident, facility: this.#settings.facility, format: this.#ownLine, onFailure };
    this.#sinks.push(new Syslog(socketPath === undefined ? options : { ...options, socketPath }));
  }

  #openTopics(): void {
    this.#topics = new LogTopics(this.#ownLine);
    this.#topics.publish = this.#publisher;
    this.#sinks.push(this.#topics);
  }

  /** Straight to standard error, whatever the configuration wants: the log itself is what is broken. */
  #emergency(code: Code, lines: string[]): void {
    const sink = this.#descriptor(this.#standardError.fd, 'standard error');
    for (const line of lines) sink.write(this.#format('error', line, { code }));
    sink.flush();
  }
}

function wantedClasses(settings: LogSettings, verbosity: Verbosity): ReadonlySet<LogClass> {
  if (verbosity === 'quiet') return new Set();
  return new Set(verbosity === 'verbose' ? logClasses.map(row => row.name) : settings.classes);
}
