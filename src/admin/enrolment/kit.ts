/**
 * A device's kit behind a one-time link, `/kit/TOKEN`. GET shows a page with a button, so that a preview of the link in
 * a chat, a virus scanner or a reload takes nothing away; the button's POST gives the kit out, once.
 */
import { sourceOf } from '../../base/mod.ts';
import { lookAtParcel, type Parcel, takeParcel, timeText } from '../../pki/mod.ts';
import type { Route, Visit } from './visit.ts';

export const kitRoute: Route = {
  path: /^\/kit\/[^/]*$/,
  methods: { GET: showPage, POST: giveOut },
};

function showPage(visit: Visit): void {
  const parcel = found(visit, lookAtParcel);
  if (parcel === null) return;
  visit.send(200, page(parcel), { 'content-type': 'text/html; charset=utf-8' });
}

async function giveOut(visit: Visit): Promise<void> {
  if ((await visit.body()) === null) return;
  const parcel = found(visit, takeParcel);
  if (parcel === null) return;
  visit.response.once('finish', () => {
    parcel.done();
    visit.note(`took the kit of ${parcel.name}.`);
  });
  visit.response.once('close', () => {
    if (visit.response.writableFinished) return;
    parcel.putBack();
    visit.note(`broke off while taking the kit of ${parcel.name}; it can be fetched again.`);
  });
  visit.send(200, parcel.content, {
    'content-type': 'application/zip',
    'content-disposition': `attachment; filename="${parcel.name}-kit.zip"`,
  });
}

/** Null when there is none; the answer has been given then, and a failure counted. */
function found<T extends Parcel>(visit: Visit, find: (...at: [string, string, number]) => T | null): T | null {
  const { applicant, options } = visit;
  const wait = options.office.tooSoon(applicant);
  if (wait !== null) {
    visit.refuse(wait);
    return null;
  }
  const parcel = find(options.folder, visit.path.slice('/kit/'.length), applicant.now);
  if (parcel !== null) return parcel;
  options.office.attempts.failed(sourceOf(applicant.address), applicant.now);
  visit.noteRefusal('token-unknown', goneLog);
  visit.text(404, 'This link has been used, or its time is up. Ask for another one.\n');
  return null;
}

const goneLog =
  'no kit waits behind its link: it was fetched, or its time is up. Another: zancudo device renew NAME --new-key --link';

/** A name has no character that means something in HTML (checkName). */
function page({ name, until }: Parcel): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Kit of ${name}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem; }
button { font: inherit; padding: 0.7rem 1.5rem; }
code { overflow-wrap: anywhere; }
</style>
<h1>Kit of ${name}</h1>
<p>Certificate, private key and filled-in settings for the device <b>${name}</b>, as a ZIP file. It can be fetched
<b>once</b>, until ${timeText(until)}. Whoever has it is ${name}: keep it to yourself, and delete it when the device has
it.</p>
<form method="post"><button>Download, once</button></form>
<p>If your browser warned you, it does not know the CA of this broker yet. Let it show the certificate, and go on only
if its SHA-256 fingerprint is the one that was printed with this link. To be spared the warning, install
<a href="/ca.crt">the CA</a>.</p>
</html>
`;
}
