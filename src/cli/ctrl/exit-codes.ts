/** mosquitto_ctrl's exit codes: those of its library, where they mean something here. */
export const exitCodes = {
  ok: 0,
  usage: 1,
  invalid: 3,
  refused: 5,
  notFound: 6,
  lost: 7,
  tls: 8,
  unknownModule: 10,
  unknownCommand: 13,
  system: 14,
  lookup: 15,
  proxy: 16,
} as const;
