/** LevelNames keeps the text of each level once, for as long as a node bears it, and gives it a number. */
import { giveBack, LongList, TextIndex } from '../base/mod.ts';

/** Numbers that level texts never get back. */
export const LEVEL_PLUS = 1;
export const LEVEL_HASH = 2;

const FIRST_CAPACITY = 64;

export class LevelNames extends TextIndex {
  private readonly texts = new LongList<string>();
  /** How many nodes bear the name; of a free number, the next free one. */
  private users = new Int32Array(FIRST_CAPACITY);
  private free = 0;

  constructor() {
    super();
    this.texts.push('');
    this.add('+');
    this.add('#');
  }

  /** The number of the level between two places of a path, 0 where no node bears its name. */
  find(path: string, from: number, to: number): number {
    return this.indexed(path, from, to);
  }

  text(number: number): string {
    return this.texts.at(number)!;
  }

  /** Another node bears the name of this number. */
  use(number: number): void {
    this.users[number]!++;
  }

  /** The same for a name that no node bore. */
  add(text: string): number {
    const number = this.numberFor(text);
    this.users[number] = 1;
    this.index(number);
    return number;
  }

  release(number: number): void {
    if (--this.users[number]! > 0) return;
    this.unindex(number);
    this.texts.set(number, '');
    this.users[number] = this.free;
    this.free = number;
  }

  private numberFor(text: string): number {
    const { free } = this;
    if (free !== 0) {
      this.free = this.users[free]!;
      this.texts.set(free, text);
      return free;
    }
    this.texts.push(text);
    if (this.texts.length > this.users.length) this.growUsers();
    return this.texts.length - 1;
  }

  private growUsers(): void {
    const { users } = this;
    this.users = new Int32Array(2 * users.length);
    this.users.set(users);
    giveBack(users);
  }
}
