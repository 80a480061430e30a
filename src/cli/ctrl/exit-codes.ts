/** mosquitto_ctrl's exit codes beside those of its library for failed connections. */
export const exitCodes = {
  ok: 0,
  usage: 1,
  invalid: 3,
  notFound: 6,
  unknownModule: 10,
  unknownCommand: 13,
} as const;
