/** What drivers say when a server cannot be reached or does not let them in, in plain words and with what to do. */
import { whatItSays } from './gate.ts';
import type { UserBackendSettings } from './settings.ts';

interface Trouble {
  says: RegExp;
  means: (settings: UserBackendSettings) => string;
}

const serverOf = ({ socket, host, file, url, userUrl, jwksUrl }: UserBackendSettings): string =>
  socket ?? file ?? url ?? userUrl ?? jwksUrl ?? host ?? 'localhost';

function closedBecause({ tls, certfile, kind, url }: UserBackendSettings): string {
  const isSecure = tls || kind === 'http' || kind === 'jwt' || url?.startsWith('ldaps:') === true;
  if (!isSecure) return 'The server closes the connection; does it want TLS (auth_backend_tls true)?';
  const wanted = certfile === null ? 'a certificate of ours (auth_backend_certfile and auth_backend_keyfile)' : 'another certificate of ours (auth_backend_certfile)'; // prettier-ignore
  return `The server closes the connection; it may want ${wanted}.`;
}

/** By the texts and codes of Node, pg, mariadb, ioredis and ldapts. */
const TROUBLES: readonly Trouble[] = [
  { says: /ECONNREFUSED/, means: at => `Nobody listens on ${serverOf(at)}: is the server running, and host and port right?` },
  { says: /ENOTFOUND|EAI_AGAIN/, means: at => `The name ${serverOf(at)} is unknown to DNS.` },
  { says: /ENOENT/, means: at => `There is no ${serverOf(at)}. For postgresql auth_backend_socket is the folder of the socket, for the others the socket itself.` },
  { says: /unable to open database file/, means: at => `There is no file ${serverOf(at)}, or this user may not read it.` },
  { says: /EACCES/, means: at => `This user may not open ${serverOf(at)}.` },
  { says: /no answer within|ETIMEDOUT|timeout/i, means: at => `${serverOf(at)} does not answer: is a firewall between, or the server overloaded? auth_backend_timeout says how long is waited.` },
  { says: /ERR_TLS_CERT_ALTNAME_INVALID|does not match certificate/, means: () => 'Its certificate is for other names than the one of auth_backend_host (or _url): write one of these there, or give the server a certificate with this name.' },
  { says: /self.signed certificate|unable to (?:get|verify)|UNABLE_TO_|SELF_SIGNED/i, means: () => 'Its certificate is signed by nobody who is trusted here: name the authority that signed it with auth_backend_cafile.' },
  { says: /certificate has expired|CERT_HAS_EXPIRED/i, means: () => 'Its certificate has expired.' },
  { says: /does not support SSL|server does not support|SSL not enabled|SERVER_DOES_NOT_SUPPORT_SSL|without SSL capability/i, means: () => 'The server does not speak TLS here: switch it on there, or leave out auth_backend_tls.' },
  { says: /certificate required|valid client certificate|handshake failure|bad certificate|unknown ca|alert number (?:40|42|48|116)/i, means: () => 'The server wants a certificate of ours that it trusts: auth_backend_certfile and auth_backend_keyfile.' },
  { says: /wrong version number|packet length too long/i, means: () => 'This port does not speak TLS: is it the one for TLS, or is auth_backend_tls too much?' },
  { says: /ECONNRESET|EPIPE|socket hang up|onnection (?:was )?(?:closed|lost|terminated)|onnection ended/i, means: at => closedBecause(at) },
  { says: /password authentication failed|Access denied for user|WRONGPASS|NOAUTH|invalid credentials|no password supplied|SASL.*password/i, means: () => 'The server does not let the broker in: auth_backend_username and the password in auth_backend_password_file.' },
  { says: /no pg_hba\.conf entry/, means: () => 'pg_hba.conf of the server has no line for this host, user and database, or only one for TLS (auth_backend_tls true).' },
  { says: /database ".*" does not exist|Unknown database/, means: () => 'auth_backend_database names a database that is not there.' },
  { says: /relation ".*" does not exist|no such table|Table '.*' doesn't exist/, means: () => 'A query names a table that is not there, or not for this account.' },
  { says: /column ".*" does not exist|no such column|Unknown column/, means: () => 'A query names a column that is not there.' },
  { says: /permission denied|command denied|NOPERM/, means: () => 'The account may not read what the query asks: GRANT SELECT on these tables to it.' },
  { says: /syntax error|SQL syntax/i, means: () => 'The query is no SQL that this database understands.' },
]; // prettier-ignore

/** The words of the driver first. */
export function inPlainWords(error: unknown, settings: UserBackendSettings): string[] {
  const { code } = error as { code?: unknown };
  const said = whatItSays(error);
  const trouble = TROUBLES.find(({ says }) => says.test(said) || (typeof code === 'string' && says.test(code)));
  return trouble === undefined ? [said] : [said, trouble.means(settings)];
}
