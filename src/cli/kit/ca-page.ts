/** The CA as a page for phones: its fingerprint to compare, a link that installs it, a QR code. Needs no network. */
import type { X509Certificate } from 'node:crypto';
import { qrSvg } from './qr.ts';

export function caPage(ca: X509Certificate, url: string | null): string {
  const name = escapeHtml(ca.subject.split('\n').reverse().join(', '));
  const der = ca.raw.toString('base64');
  const scan =
    url === null
      ? 'The code holds the certificate itself, as text: a scanner app can save it as <code>ca.crt</code>.'
      : `The code leads to <a href="${escapeHtml(url)}">${escapeHtml(url)}</a>.`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }
svg { width: min(100%, 24rem) }
code { word-break: break-all }
</style>
<h1>${name}</h1>
<p>The certificate authority of an MQTT broker. Install it only if this fingerprint is the one that
<code>zancudo ca show</code> prints on the broker:</p>
<p><code>${ca.fingerprint256}</code></p>
<p><a download="ca.crt" href="data:application/x-x509-ca-cert;base64,${der}">Save or install the certificate</a></p>
<ul>
<li>iPhone, iPad: open it, then Settings, General, VPN &amp; Device Management; then About, Certificate Trust Settings.</li>
<li>Android: Settings, Security, Encryption &amp; credentials, Install a certificate, CA certificate.</li>
</ul>
<p>${scan}</p>
${qrSvg(url ?? ca.toString())}
</html>
`;
}

function escapeHtml(text: string): string {
  const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, character => escapes[character] ?? '');
}
