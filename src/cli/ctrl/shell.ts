/**
 * The interactive shell, without the terminal: lines in, lines out, completion asked for.
 *
 *   >                       auth, connect
 *   mqtt://host:port>       dynsec, broker, disconnect
 *   mqtt://host:port|dynsec>      the module's commands, return, disconnect
 */
import type { Context } from '../context.ts';
import { nearestName } from '../nearest-name.ts';
import {
  build,
  commandNamed,
  usageOf,
  type ControlCommand,
  type ControlModule,
  type Desk,
  type NameKind,
} from './control-command.ts';
import type { ControlLink, Sent } from './control-link.ts';
import { ctrlConnectOptions, placeOf, profileProblem, saysWhere } from './ctrl-connection.ts';
import { takeUrl, type CtrlDraft } from './ctrl-options.ts';
import { controlModules } from './ctrl-page.ts';
import { isObject } from './dynsec-print.ts';
import { explain, openLink, problemLines } from './run-once.ts';
import { linesOf } from './reply.ts';
import { lastWordStart, quoted, wordsOf } from './shell-words.ts';

/** Who sits in front of it expects an answer sooner than a script. */
const replyTimeoutMs = 5_000;

export interface ShellDesk extends Desk {
  /** What is typed shows; null at the end. */
  askLine(question: string): Promise<string | null>;
}

/** What the shell needs of a connection. */
export type Link = Pick<ControlLink, 'isOnline' | 'send' | 'close'>;
export type OpenLink = typeof openLink extends (...of: infer Given) => unknown
  ? (...of: Given) => Promise<Link>
  : never;

interface ShellCommand {
  name: string;
  usage: string;
  says: string;
  isThere: (shell: Shell) => boolean;
  run: (shell: Shell, words: readonly string[]) => Promise<void> | void;
}

const shellCommands: readonly ShellCommand[] = [
  {
    name: 'auth',
    usage: 'auth [username]',
    says: 'Set user name and password for the next connect.',
    isThere: shell => !shell.isConnected,
    run: (shell, words) => shell.authenticate(words),
  },
  {
    name: 'connect',
    usage: 'connect [mqtt[s]://[user[:password]@]host[:port]]',
    says: 'Connect to a broker; to localhost unless said otherwise.',
    isThere: shell => !shell.isConnected,
    run: (shell, words) => shell.connect(words),
  },
  ...controlModules.map(module => ({
    name: module.name,
    usage: module.name,
    says: module.name === 'dynsec' ? 'Clients, groups and roles.' : 'Plugins and listeners.',
    isThere: (shell: Shell) => shell.isConnected && shell.module === null,
    run: (shell: Shell) => shell.enter(module),
  })),
  {
    name: 'return',
    usage: 'return',
    says: 'Leave the module.',
    isThere: shell => shell.module !== null,
    run: shell => shell.leave(),
  },
  {
    name: 'disconnect',
    usage: 'disconnect',
    says: 'Disconnect from the broker.',
    isThere: shell => shell.isConnected,
    run: shell => shell.disconnect(),
  },
  {
    name: 'help',
    usage: 'help [command]',
    says: 'Show what there is.',
    isThere: () => true,
    run: (shell, words) => shell.help(words),
  },
  { name: 'exit', usage: 'exit', says: 'End.', isThere: () => true, run: shell => shell.end() },
];

export class Shell {
  module: ControlModule | null = null;
  hasEnded = false;
  private link: Link | null = null;
  private place = '';
  private readonly draft: CtrlDraft;
  private readonly desk: ShellDesk;
  private readonly context: Context;
  private readonly open: OpenLink;
  private readonly names: Record<NameKind, string[]> = { clients: [], groups: [], roles: [] };

  constructor(draft: CtrlDraft, desk: ShellDesk, context: Context, open: OpenLink = openLink) {
    this.open = open;
    this.draft = draft;
    this.desk = desk;
    this.context = context;
  }

  get isConnected(): boolean {
    return this.link !== null;
  }

  get prompt(): string {
    if (this.link === null) return '> ';
    return `${this.place}${this.module === null ? '' : `|${this.module.name}`}> `;
  }

  /** Never rejects for what a user or a broker did. */
  async handle(line: string): Promise<void> {
    const [name, ...words] = wordsOf(line);
    if (name === undefined) return;
    this.noticeLoss();
    const command = this.available.find(row => row.name === name.toLowerCase());
    const row = this.module === null ? undefined : commandNamed(this.module, name);
    try {
      if (row !== undefined && this.module !== null) await this.carryOut(this.module, row, words);
      else if (command !== undefined) await command.run(this, words);
      else this.unknown(name);
    } catch (error) {
      this.complain(explain(error, this.draft).lines);
      this.noticeLoss();
    }
  }

  /** For readline: what the last word may become, and that word. */
  complete(line: string): [string[], string] {
    const start = lastWordStart(line);
    const last = line.slice(start);
    const before = wordsOf(line.slice(0, start));
    const typed = last.replace(/^["']/, '').toLowerCase();
    const fitting = this.choices(before).filter(each => each.toLowerCase().startsWith(typed));
    return [fitting.map(each => `${quoted(each)} `), last];
  }

  async authenticate([given]: readonly string[]): Promise<void> {
    const username = given ?? (await this.desk.askLine('username: '));
    if (username === null || username === '') return this.complain(['No user name.']);
    const answer = await this.desk.ask('password: ', null);
    if (!answer.ok) return this.complain(['No password.']);
    this.draft.username = username;
    this.draft.password = answer.password.toString();
  }

  async connect([url]: readonly string[]): Promise<void> {
    const problem = this.setPlace(url);
    if (problem !== null) return this.complain(problem);
    const options = await ctrlConnectOptions(this.draft, this.context);
    this.link = await this.open(options, this.draft, this.context, replyTimeoutMs);
    this.place = placeOf(options);
  }

  async enter(module: ControlModule): Promise<void> {
    this.module = module;
    for (const kind of ['clients', 'groups', 'roles'] as const) {
      if (!(await this.refresh(kind))) return;
    }
  }

  leave(): void {
    this.module = null;
  }

  async disconnect(): Promise<void> {
    const { link } = this;
    this.link = null;
    this.module = null;
    await link?.close();
  }

  async end(): Promise<void> {
    await this.disconnect();
    this.hasEnded = true;
  }

  help([name]: readonly string[]): void {
    if (name === undefined) {
      const module = this.module?.commands.map(row => [usageOf(row), row.says] as const) ?? [];
      const rows = [...module, ...this.available.map(row => [row.usage, row.says] as const)];
      return this.say(rows.flatMap(([usage, says]) => [usage, `    ${says}`]));
    }
    const row = this.module === null ? undefined : commandNamed(this.module, name);
    const command = this.available.find(each => each.name === name.toLowerCase());
    if (row !== undefined) this.say([usageOf(row), row.says]);
    else if (command !== undefined) this.say([command.usage, command.says]);
    else this.unknown(name);
  }

  private get available(): readonly ShellCommand[] {
    return shellCommands.filter(row => row.isThere(this));
  }

  /** Lines of a complaint, or null. */
  private setPlace(url: string | undefined): string[] | null {
    if (url === undefined) return saysWhere(this.draft) ? null : profileProblem(this.draft, this.context);
    const isComplete = url.includes('/', url.indexOf('://') + 3);
    const fault = takeUrl(this.draft, isComplete ? url : `${url}/`);
    if (fault?.kind !== 'error') return null;
    return [fault.line, '  Usage: connect [mqtt[s]://[user[:password]@]host[:port]]'];
  }

  private async carryOut(module: ControlModule, row: ControlCommand, words: readonly string[]): Promise<void> {
    const built = await build(row, words, this.desk);
    if (!built.ok) return this.complain(built.lines);
    if (this.link === null) return;
    const sent = await this.link.send(module, row, built.command);
    if (sent.kind !== 'done') return this.complain(problemLines(sent, module));
    const lines = linesOf(sent, row, true);
    if (typeof lines === 'string') return this.complain([lines]);
    this.say(row.print === undefined ? ['OK'] : lines);
    if (row.changes !== undefined) await this.refresh(row.changes);
  }

  /** Asks for the names that completion offers. False when the module does not answer. */
  private async refresh(kind: NameKind): Promise<boolean> {
    const { module, link } = this;
    const row = module?.commands.find(each => each.name.toLowerCase() === `list${kind}`);
    if (module === null || link === null || row === undefined) return false;
    const sent: Sent = await link.send(module, row, { command: row.name });
    if (sent.kind !== 'done') {
      this.complain(problemLines(sent, module));
      return false;
    }
    const lines = isObject(sent.data) ? row.print?.(sent.data, false) : null;
    this.names[kind] = lines ?? [];
    return true;
  }

  /** What may stand behind the words that are there. */
  private choices(before: readonly string[]): string[] {
    const commands = [...(this.module?.commands ?? []), ...this.available].map(row => row.name);
    const [name, ...rest] = before;
    if (name === undefined || (name.toLowerCase() === 'help' && rest.length === 0)) return commands;
    const argument = this.module === null ? undefined : commandNamed(this.module, name)?.arguments[rest.length];
    if (argument?.names !== undefined) return this.names[argument.names];
    if (argument?.kind === 'access') return ['allow', 'deny'];
    return [...(argument?.words ?? [])];
  }

  private noticeLoss(): void {
    if (this.link === null || this.link.isOnline) return;
    this.link = null;
    this.module = null;
    this.complain(['The connection is lost. connect opens a new one.']);
  }

  private unknown(name: string): void {
    const names = [...(this.module?.commands ?? []), ...this.available].map(row => row.name);
    const meant = nearestName(name, names);
    this.complain([
      `Unknown command '${name}'`,
      meant === null ? "  'help' lists what there is." : `  Did you mean '${meant}'?`,
    ]);
  }

  private say(lines: readonly string[]): void {
    this.context.print(lines.map(line => `${line}\n`).join(''));
  }

  private complain(lines: readonly string[]): void {
    this.context.complain(lines.map(line => `${line}\n`).join(''));
  }
}
