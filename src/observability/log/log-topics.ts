/**
 * `log_dest topic`: each line becomes a message on $SYS/broker/log/..., QoS 2, not retained, gone after 20 seconds.
 * Lines that come about while log messages are being published stay out, or each would bring the next.
 */
import type { LogClass } from '../../broker/ports.ts';
import { logClassRow } from './classes.ts';
import { droppedLinesText, sinkBounds, type Sink } from './sink.ts';

export interface LogMessage {
  topic: string;
  /** The line as a log file shows it. */
  payload: string;
  qos: 2;
  retain: false;
  expirySeconds: 20;
}

export type LogPublisher = (message: LogMessage) => void;

export class LogTopics implements Sink {
  /** Null before the broker runs; until then nobody can have subscribed, so nothing is kept. */
  publish: LogPublisher | null = null;
  #waiting: LogMessage[] = [];
  #dropped = 0;
  #publishing = false;
  #format: (text: string) => string;

  constructor(format: (text: string) => string) {
    this.#format = format;
  }

  write(line: string, as: LogClass): void {
    const topic = logClassRow(as).topic;
    if (topic === null || this.publish === null || this.#publishing) return;
    if (this.#waiting.length >= sinkBounds.topicLinesMax) this.#dropped++;
    else this.#waiting.push(logMessage(topic, line));
  }

  flush(): void {
    const messages = this.#takeWaiting();
    this.#publishing = true;
    try {
      for (const message of messages) this.publish?.(message);
    } finally {
      this.#publishing = false;
    }
  }

  close(): void {
    this.#waiting = [];
  }

  #takeWaiting(): LogMessage[] {
    const messages = this.#waiting;
    this.#waiting = [];
    if (this.#dropped > 0) {
      const note = this.#format(droppedLinesText(this.#dropped, 'log_dest topic'));
      messages.push(logMessage(logClassRow('warning').topic as string, note));
      this.#dropped = 0;
    }
    return messages;
  }
}

function logMessage(topic: string, line: string): LogMessage {
  return { topic, payload: line, qos: 2, retain: false, expirySeconds: 20 };
}
