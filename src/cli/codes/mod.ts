/** What every code means: for `zancudo help CODE` and docs/reference/errors.md. Loaded only there. */
import type { Code } from '../../base/mod.ts';
import { brokerCodes } from './broker.ts';
import { clientCodes } from './clients.ts';
import { commandCodes } from './commands.ts';
import { connectionCodes } from './connections.ts';
import type { Page } from './page.ts';
import { tlsCodes } from './tls.ts';

/** The compiler asks for a page for each code, and for a code for each page. */
export const codePages: Readonly<Record<Code, Page>> = {
  ...brokerCodes,
  ...connectionCodes,
  ...tlsCodes,
  ...clientCodes,
  ...commandCodes,
};

export type { Page } from './page.ts';
