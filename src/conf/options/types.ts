/**
 * How an option's argument becomes a value, with Mosquitto's own words when it does not.
 * Each type brings texts it accepts and texts it refuses, with the line of the refusal: the tests walk them for every
 * row of the table. `<name>` in such a line stands for the option.
 */
import { refuse } from '../error.ts';
import type { Argument } from './argument.ts';

export interface Refused {
  text: string;
  error: string;
}

export interface ValueType<T> {
  /** What the reference page calls the argument. */
  argument: string;
  good: readonly string[];
  bad: readonly Refused[];
  read(argument: Argument, name: string): T;
}

const empty: Refused = { text: '', error: "Error: Empty '<name>' value in configuration." };

export function emptyValue(name: string): never {
  refuse(`Error: Empty '${name}' value in configuration.`, `Write a value after '${name}', or take the line out.`);
}

export const bool: ValueType<boolean> = {
  argument: 'true | false',
  good: ['true', 'false', '1', '0', 'true # why'],
  bad: [
    { text: 'yes', error: "Error: Invalid '<name>' value (yes)." },
    { text: 'True', error: "Error: Invalid '<name>' value (True)." },
    empty,
  ],
  read(argument, name) {
    const word = argument.word() ?? emptyValue(name);
    if (word === 'true' || word === '1') return true;
    if (word === 'false' || word === '0') return false;
    refuse(`Error: Invalid '${name}' value (${word}).`, `Write 'true' or 'false', in small letters.`);
  },
};

/** C's strtol with base 0: decimal, 0x hexadecimal, leading-0 octal, nothing behind it. Null when it is none of them. */
export function parseInteger(word: string): bigint | null {
  const parts = /^([+-]?)(?:0x([0-9a-f]+)|0([0-7]*)|([1-9][0-9]*))$/i.exec(word);
  if (parts === null) return null;
  const [, sign, hexadecimal, octal, decimal] = parts;
  const size = decimal ?? (hexadecimal === undefined ? `0o0${octal ?? ''}` : `0x${hexadecimal}`);
  return sign === '-' ? -BigInt(size) : BigInt(size);
}

const intMax = 2_147_483_647n;

/** One word that is a C int. */
export function readInteger(argument: Argument, name: string, max: bigint = intMax): number {
  const word = argument.word() ?? emptyValue(name);
  const value = parseInteger(word);
  if (value === null) {
    refuse(`Error: '${name}' value not a number.`, `Found '${word}'. Write a whole number without a unit behind it.`);
  }
  if (value > max || value < -max - 1n) {
    refuse(`Error: '${name}' value out of range.`, `Found '${word}'; the largest number here is ${max}.`);
  }
  return Number(value);
}

export interface IntegerRules<T> {
  argument: string;
  good?: readonly string[];
  min?: number;
  max?: number;
  /** The line for a number outside; `<n>` is the number. */
  error?: string;
  /** A number outside, for the tests. */
  outside?: string;
  /** From the number as written to the value as meant. */
  as?: (number: number) => T;
}

export function integer<T = number>(rules: IntegerRules<T>): ValueType<T> {
  const { min = -Infinity, max = Infinity, error = "Error: Invalid '<name>' value (<n>)." } = rules;
  const outside = rules.outside === undefined ? [] : [{ text: rules.outside, error }];
  return {
    argument: rules.argument,
    good: rules.good ?? ['100', '0x64', '0144', '100 # a hundred'],
    bad: [
      { text: '10k', error: "Error: '<name>' value not a number." },
      { text: '99999999999', error: "Error: '<name>' value out of range." },
      empty,
      ...outside.map(({ text, error }) => ({ text, error: error.replace('<n>', text) })),
    ],
    read(argument, name) {
      const value = readInteger(argument, name);
      if (value < min || value > max) {
        refuse(error.replace('<name>', name).replace('<n>', String(value)), rangeText(min, max));
      }
      return rules.as === undefined ? (value as T) : rules.as(value);
    },
  };
}

function rangeText(min: number, max: number): string {
  if (max === Infinity) return `Write a number from ${min} up.`;
  return `Write a number from ${min === -Infinity ? 'below 0' : min} to ${max}.`;
}

/** What MQTT forbids in a string: control characters and the code points Unicode keeps for itself. */
const forbidden = /[\u0000-\u001f\u007f-\u009f]|\p{Noncharacter_Code_Point}/u;

/** The rest of the line, as MQTT's rules for strings allow it. */
export function readText(argument: Argument, name: string): string {
  const text = argument.rest();
  if (text === '') emptyValue(name);
  const odd = forbidden.exec(text);
  if (argument.malformed || odd !== null) {
    const found = odd === null ? 'bytes that are not UTF-8' : `U+${hex(odd[0])}`;
    refuse('Error: Malformed UTF-8 in configuration.', `The value of '${name}' has ${found}. Save the file as UTF-8.`);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes > 65_535)
    refuse(`Error: '${name}' value out of range.`, `It has ${bytes} bytes; at most 65535 are allowed.`);
  return text;
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}

const malformed: Refused = { text: 'a\u0001b', error: 'Error: Malformed UTF-8 in configuration.' };

/** The rest of the line: may contain spaces, and `#` is part of it. */
export function text(argument: string, ...good: string[]): ValueType<string> {
  return { argument, good: good.length > 0 ? good : ['a', 'two words'], bad: [empty, malformed], read: readText };
}

export const path = text('path', '/tmp/zancudo-example', '/tmp/with spaces');

/** One of a few words. The line for another one: `<name>`, `<word>`. */
export function choice<const W extends string>(
  words: readonly W[],
  error = "Error: Invalid '<name>' value (<word>).",
): ValueType<W> {
  return {
    argument: words.join(' | '),
    good: words,
    bad: [{ text: 'sideways', error: error.replace('<word>', 'sideways') }, empty],
    read(argument, name) {
      const word = argument.word() ?? emptyValue(name);
      const found = words.find(each => each === word);
      if (found !== undefined) return found;
      refuse(error.replace('<name>', name).replace('<word>', word), `Write one of: ${words.join(', ')}.`);
    },
  };
}

/** An argument that nobody looks at, not even whether it is there. */
export const ignored: ValueType<null> = {
  argument: 'anything',
  good: ['', '20', 'any text'],
  bad: [],
  read(argument) {
    argument.rest();
    return null;
  },
};
