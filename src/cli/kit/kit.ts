/**
 * A kit: everything one device needs, in every form that one may ask for.
 *
 *   ca.crt NAME.crt NAME.key            PEM, for most
 *   NAME.p12 *.der certificates.h       the same for Java and phones, for small parsers, for firmware
 *   FOLDER/...                          filled-in settings, one folder per kind of device or program
 *   README.txt                          what is what, and a line to try each
 *
 * Where the key stays with the device (a renewal) there is no key in it, nor what would need one.
 */
import { keyPem, pem, timeText, writePkcs12 } from '../../pki/mod.ts';
import { cHeader } from './c-header.ts';
import type { KitFacts, KitFile, Recipe } from './facts.ts';
import { deviceRecipes } from './recipes-devices.ts';
import { mosquittoLine, programRecipes } from './recipes-programs.ts';

export const recipes: readonly Recipe[] = [...deviceRecipes, ...programRecipes];

export function kitFiles(facts: KitFacts): KitFile[] {
  return facts.key === null ? renewalFiles(facts) : [...credentialFiles(facts), ...settingsFiles(facts), readme(facts)];
}

function renewalFiles({ name, ca, certificate, issuing }: KitFacts): KitFile[] {
  return [
    { name: 'ca.crt', content: ca.toString() },
    { name: `${name}.crt`, content: `${certificate.toString()}${issuing.toString()}` },
    { name: `${name}.der`, content: certificate.raw },
  ];
}

function credentialFiles(facts: KitFacts): KitFile[] {
  const { name, ca, certificate, issuing, key, password } = facts;
  if (key === null) return [];
  const texts = { ca_pem: ca.toString(), certificate_pem: pem('CERTIFICATE', certificate.raw), key_pem: keyPem(key) };
  return [
    ...renewalFiles(facts),
    { name: `${name}.key`, content: keyPem(key) },
    { name: 'ca.der', content: ca.raw },
    { name: `${name}.key.der`, content: key.export({ type: 'pkcs8', format: 'der' }) },
    { name: 'certificates.h', content: cHeader(`Certificates of ${name}. Holds a private key.`, texts) },
    { name: `${name}.p12`, content: writePkcs12({ key, certificates: [certificate, issuing, ca], friendlyName: name, password }) },
    { name: `${name}.p12.password.txt`, content: `${password}\n` },
  ]; // prettier-ignore
}

function settingsFiles(facts: KitFacts): KitFile[] {
  return recipes.flatMap(recipe =>
    recipe.files(facts).map(({ name, content }) => ({ name: `${recipe.name}/${name}`, content })),
  );
}

function readme(facts: KitFacts): KitFile {
  const { name, host, port, ca, certificate, topic } = facts;
  const content = `Everything ${name} needs to reach the broker ${host}:${port}. It holds a private key: give it to nobody else, and
delete it here when the device has it.

  ca.crt  the CA, to recognise the broker by
          SHA-256 ${ca.fingerprint256}
  ${name}.crt  its certificate, until ${timeText(certificate.validToDate.getTime())}
  ${name}.key  its key
  ${name}.p12  all three in one; the password is in ${name}.p12.password.txt
  *.der  the same in DER
  certificates.h  the same for a C program

Try it now, in this folder (it may publish ${topic}):

  ${mosquittoLine('mosquitto_pub', facts, '-m hello')}

${recipes.map(recipe => `${recipe.title}: ${recipe.name}/\n  ${recipe.tryIt(facts)}\n`).join('\n')}`;
  return { name: 'README.txt', content };
}
