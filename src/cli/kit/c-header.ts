/** PEM texts as C string constants, for firmware that carries its certificates in itself. */
export function cHeader(about: string, texts: Readonly<Record<string, string>>): string {
  const constants = Object.entries(texts).map(([name, text]) => `static const char ${name}[] =\n${literal(text)};\n`);
  return `/* ${about} */\n#pragma once\n\n${constants.join('\n')}`;
}

function literal(text: string): string {
  return text
    .trimEnd()
    .split('\n')
    .map(line => `    "${line}\\n"`)
    .join('\n');
}
