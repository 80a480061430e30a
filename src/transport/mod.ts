/** One link, whatever carries it: TCP, Unix socket, TLS, WebSocket; and the PROXY header in front of it. */
export { SocketLink, type LinkEnd, type LinkHandler } from './link.ts';
export { Nap } from './nap.ts';
export { WriteScheduler } from './write-scheduler.ts';
export { WebSocketLink } from './websocket.ts';
export { type FrameOwner, WebSocketFrames } from './websocket-frames.ts';
export { answerUpgrade, type Upgrade, type UpgradeFault, type UpgradeRules } from './websocket-handshake.ts';
export { parseProxyHeader, type ProxyHeader, type ProxyParse, type ProxyTls } from './proxy-protocol.ts';
export { errorCode, systemErrorText } from './system-error.ts';
