// Holds what is posted to chat services against the types that they publish: `node check.mjs FILE`, a list of
// { "type": a name in types.ts, "body": what is posted }. Every mistake is a line; none is exit code 0.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const posted = JSON.parse(readFileSync(process.argv[2]));
const types = [...new Set(posted.map(({ type }) => type))];
// A body a line, as a program would write it: the compiler knows what a service does not.
const lines = posted.map(({ type, body }, number) => `const body${number}: ${type} = ${JSON.stringify(body)};`);
const text = [`import type { ${types.join(', ')} } from './types';`, ...lines, 'export {};'].join('\n');

const name = fileURLToPath(new URL('posted.ts', import.meta.url));
const options = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  types: [],
};
const host = ts.createCompilerHost(options);
const { fileExists, getSourceFile } = host;
host.fileExists = (file) => file === name || fileExists.call(host, file);
host.getSourceFile = (file, ...rest) =>
  file === name ? ts.createSourceFile(name, text, options.target) : getSourceFile.call(host, file, ...rest);
const program = ts.createProgram([name], options, host);

const mistaken = new Set();
for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
  const line = file?.fileName === name ? ts.getLineAndCharacterOfPosition(file, start).line - 1 : -1;
  mistaken.add(line);
  const what = posted[line] ? `${posted[line].type}, body ${line}` : (file?.fileName ?? 'the types');
  console.log(`${what}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
}
console.log(`${posted.length} bodies, ${mistaken.size} mistakes`);
process.exit(mistaken.size === 0 ? 0 : 1);
