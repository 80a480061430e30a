/** What the operators' socket serves; contract.ts has the list. Whoever can open the socket may do all of it. */
import { backendRoutes } from './backends.ts';
import { banRoutes } from './bans.ts';
import type { StoredMessage } from '../broker/ports.ts';
import type { ClientFacts, RefusalsReport, SessionFacts, TopicReport } from './contract.ts';
import type { Exchange } from './exchange.ts';
import { healthRoutes } from './health-routes.ts';
import type { OperatorPorts } from './ports.ts';
import { copyOf, factsOf, purge, restore } from './retained.ts';
import type { Route } from './router.ts';
import { nameMatcher, topicMatcher } from './text-match.ts';
import { followClient, recordClient } from './trace.ts';

export function operatorRoutes(ports: OperatorPorts): Route[] {
  const { view } = ports;
  return [
    { method: 'GET', path: '/v1/status', serve: each => each.json(ports.status()) },
    { method: 'GET', path: '/v1/clients', serve: each => each.list(view.clients(), chosenClients(each)) },
    { method: 'GET', path: '/v1/clients/:name', serve: each => found(each, view.client(each.name), noClient) },
    { method: 'DELETE', path: '/v1/clients/:name', serve: each => done(each, view.disconnect(each.name), noClient) },
    { method: 'GET', path: '/v1/sessions', serve: each => each.list(view.sessions(), chosenSessions(each)) },
    { method: 'GET', path: '/v1/sessions/:name', serve: each => found(each, view.session(each.name), noSession) },
    { method: 'DELETE', path: '/v1/sessions/:name', serve: each => done(each, view.forget(each.name), noSession) },
    {
      method: 'GET',
      path: '/v1/topics',
      serve: each =>
        each.list(
          view.filters(),
          chosen(each, item => item.filter),
        ),
    },
    { method: 'GET', path: '/v1/topics/:name', serve: each => each.json(topicReport(ports, each.name)) },
    { method: 'GET', path: '/v1/retained', serve: each => each.list(view.retained(), chosenRetained(each)) },
    { method: 'GET', path: '/v1/retained/:name', serve: each => showRetained(ports, each) },
    { method: 'POST', path: '/v1/retained/purge', serve: async each => each.json(await purge(view, each.lines())) },
    { method: 'POST', path: '/v1/retained/restore', serve: async each => each.json(await restore(view, each.lines())) },
    { method: 'GET', path: '/v1/drops', serve: each => each.json(ports.drops()) },
    { method: 'GET', path: '/v1/bridges', serve: each => each.json(ports.bridges()) },
    { method: 'GET', path: '/v1/explain', serve: each => explain(ports, each) },
    { method: 'POST', path: '/v1/explain/diff', serve: each => accessChanges(ports, each) },
    { method: 'GET', path: '/v1/refusals/:name', serve: each => each.json(refusals(ports, each.name)) },
    { method: 'GET', path: '/v1/record', serve: each => each.list(ports.record(), line => ({ line })) },
    { method: 'GET', path: '/v1/quarantine', serve: each => each.json(ports.quarantine()) },
    { method: 'GET', path: '/v1/trace/:name', serve: each => followClient(view, each) },
    { method: 'POST', path: '/v1/trace/:name', serve: each => recordClient(ports, each) },
    { method: 'DELETE', path: '/v1/quarantine/:name', serve: each => done(each, ports.release(each.name), notHeld) },
    ...banRoutes(ports.bans, ports.control),
    ...backendRoutes(ports.backends),
    { method: 'POST', path: '/v1/reload', serve: async each => each.json(await ports.reload()) },
    ...healthRoutes(ports),
  ];
}

const noClient = (name: string): string => `no client '${name}' is connected`;
const noSession = (name: string): string => `there is no session '${name}'`;
const notHeld = (name: string): string => `device '${name}' is in no quarantine`;

function found(exchange: Exchange, facts: object | null, missing: (name: string) => string): void {
  if (facts === null) exchange.problem(404, missing(exchange.name));
  else exchange.json(facts);
}

function done(exchange: Exchange, did: boolean, missing: (name: string) => string): void {
  if (did) exchange.json({});
  else exchange.problem(404, missing(exchange.name));
}

function chosen<T extends object>({ query }: Exchange, nameOf: (item: T) => string): (item: T) => T | null {
  const matches = nameMatcher(query.get('match'));
  return item => (matches(nameOf(item)) ? item : null);
}

function chosenClients({ query }: Exchange): (client: ClientFacts) => object | null {
  const [ofName, ofUser] = [nameMatcher(query.get('match')), nameMatcher(query.get('user'))];
  return client => (ofName(client.clientId) && ofUser(client.username ?? '') ? client : null);
}

function chosenSessions({ query }: Exchange): (session: SessionFacts) => object | null {
  const [ofName, ofUser] = [nameMatcher(query.get('match')), nameMatcher(query.get('user'))];
  const away = query.has('away');
  return session =>
    ofName(session.clientId) && ofUser(session.username ?? '') && !(away && session.connected) ? session : null;
}

function chosenRetained({ query }: Exchange): (message: StoredMessage) => object | null {
  const matches = topicMatcher(query.get('match'));
  const shape = query.has('payload') ? copyOf : factsOf;
  return message => (matches(message.topicName) ? shape(message) : null);
}

function showRetained({ view }: OperatorPorts, exchange: Exchange): void {
  const message = view.retainedOn(exchange.name);
  if (message === null) exchange.problem(404, `nothing is retained on '${exchange.name}'`);
  else exchange.json({ ...factsOf(message), ...copyOf(message) });
}

async function explain(ports: OperatorPorts, exchange: Exchange): Promise<void> {
  const report = await ports.explain(exchange.query);
  if (typeof report === 'string') exchange.problem(400, report);
  else exchange.json(report);
}

async function accessChanges(ports: OperatorPorts, exchange: Exchange): Promise<void> {
  const lines: string[] = [];
  for await (const line of exchange.lines()) lines.push(String(line));
  const { query } = exchange;
  const name = query.get('name') ?? 'the planned file';
  const changes = ports.accessChanges({ name, lines, insteadOf: query.get('instead-of') });
  if (typeof changes === 'string') exchange.problem(400, changes);
  else await exchange.list(changes, change => change);
}

function refusals({ view }: OperatorPorts, clientId: string): RefusalsReport {
  return { clientId, refusals: view.refusals(clientId) };
}

function topicReport({ view }: OperatorPorts, topicName: string): TopicReport {
  const message = view.retainedOn(topicName);
  return { topicName, receivers: view.receivers(topicName), retained: message === null ? null : factsOf(message) };
}
