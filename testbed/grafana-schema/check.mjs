// Holds dashboard files against the types that Grafana publishes: `node check.mjs FILE...`. Every mistake is a line; none
// is exit code 0. Annotations are left out: Grafana's type of them knows only those that Grafana itself stores.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';

const generator = createGenerator({
  path: fileURLToPath(new URL('types.ts', import.meta.url)),
  type: '*',
  skipTypeCheck: true,
  additionalProperties: false,
});
const ajv = new Ajv({ strict: false, allErrors: true });
const checks = new Map();
let mistakes = 0;

function check(type, value, place) {
  if (!checks.has(type)) checks.set(type, ajv.compile(generator.createSchema(type)));
  const validate = checks.get(type);
  if (validate(value)) return;
  for (const error of validate.errors) {
    mistakes += 1;
    console.log(`${place}${error.instancePath}: ${error.message} ${JSON.stringify(error.params)}`);
  }
}

for (const file of process.argv.slice(2)) {
  const { annotations, ...dashboard } = JSON.parse(readFileSync(file));
  check('dashboard', dashboard, file);
  for (const panel of dashboard.panels) {
    const type = panel.type.replace('-', '_');
    const place = `${file}, ${panel.title}: `;
    check(type, panel.options, `${place}options`);
    const custom = panel.fieldConfig.defaults.custom;
    if (custom) check(`${type}_field`, custom, `${place}custom`);
    for (const override of panel.fieldConfig.overrides) {
      for (const { id, value } of override.properties) {
        const [scope, name] = id.split('.');
        // An override replaces one property of the panel's own.
        if (scope === 'custom') check(`${type}_field`, { ...custom, [name]: value }, `${place}${id}`);
      }
    }
  }
}
console.log(`${process.argv.length - 2} files, ${mistakes} mistakes`);
process.exit(mistakes === 0 ? 0 : 1);
