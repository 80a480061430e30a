/** HTTP for those who run the broker: the operators' socket, and the listeners with `protocol http_api`. */
export { AskError, OperatorsClient } from './ask.ts';
export type * from './contract.ts';
export { dropText, isUnusualDrop } from './drop-words.ts';
export { type ApiListener, HttpApi, type HttpApiPorts } from './http-api.ts';
export { createHttpServer, type HttpLimits, httpLimits, type HttpServer } from './http-server.ts';
export { type NoSocket, openOperatorsSocket, type OperatorsSocket } from './operators-socket.ts';
export type { HealthPorts, OperatorPorts } from './ports.ts';
