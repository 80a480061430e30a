/** What `zancudo passwd` takes. */
import type { CommandPage } from '../command-page.ts';

export const hashKinds = ['argon2id', 'sha512-pbkdf2', 'sha512', 'scram-sha-256', 'scram-sha-512'] as const;

export const passwdPage: CommandPage = {
  command: 'passwd',
  tool: 'mosquitto_passwd',
  summary: 'keeps the password files of the broker',
  usage: [
    '[-c | -D] [-H HASH] [-I N] FILE USER',
    '-b [-c] [-H HASH] [-I N] FILE USER PASSWORD',
    '-U [-H HASH] [-I N] FILE',
  ],
  about: [
    'Without -b the password is asked for twice, without echo; where standard input is no terminal, two lines of it are read. Options come before the file. Comments and lines that nobody knows stay as they are, and so do the owner and the mode of the file; a new file is readable for its owner alone.',
    'A broker that runs reads the file again when told so: zancudo signal -a config-reload',
  ],
  options: [
    { short: '-b', says: 'Take the password from the command line, where other users of the machine can see it.' },
    { short: '-c', says: 'Make a new file; it must not exist. With - as the file, the line goes to standard output.' },
    { short: '-D', says: 'Delete the user.' },
    {
      short: '-H',
      argument: 'HASH',
      completes: hashKinds,
      says: 'How passwords are hashed: argon2id (the default), sha512-pbkdf2, which Mosquitto 2.0 reads too, or sha512, for Mosquitto 1.6; scram-sha-256 and scram-sha-512 for clients of MQTT 5 that log in with SCRAM, and for all others too.',
    },
    {
      short: '-I',
      argument: 'N',
      says: 'Iterations of sha512-pbkdf2, which -I alone chooses, 210000 unless given; or of scram-sha-256 and scram-sha-512, 16384 unless given.',
    },
    {
      short: '-U',
      says: 'Hash all passwords of a file whose lines are USER:PASSWORD. Lines that are hashed already stay.',
    },
    { long: '--help', says: 'Show this text.' },
  ],
  operands: [
    { name: 'FILE', completes: 'file', says: 'The password file.' },
    { name: 'USER', says: 'A user name: no ":", no control character, no "#" in front.' },
    { name: 'PASSWORD', says: 'Only with -b.' },
  ],
  exitCodes: [
    { code: '0', when: 'Done.' },
    { code: '1', when: 'Not done: the line on standard error says why. --help ends with 1 as well.' },
    { code: '2', when: 'The two passwords differ.' },
  ],
};
