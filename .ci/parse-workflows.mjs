// GitHub's own parser over every workflow, with the workflows that they call. Node has to find the parser's packages:
//   npm install --no-save @actions/languageservice @actions/workflow-parser && node .ci/parse-workflows.mjs
import { readFileSync, readdirSync } from "node:fs";
import { register } from "node:module";

// The parser imports its JSON without saying that it is JSON, which Node insists on.
const hook = `export const load = (url, context, next) =>
  next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
const { validate } = await import("@actions/languageservice");

const FOLDER = ".github/workflows";

const fileProvider = {
  getFileContent: async ({ path }) => ({ name: path, content: readFileSync(path, "utf8") }),
};

let wrong = 0;
for (const name of readdirSync(FOLDER)) {
  const path = `${FOLDER}/${name}`;
  const text = readFileSync(path, "utf8");
  const document = { uri: `file:///${path}`, getText: () => text, languageId: "yaml", version: 0 };
  const found = await validate(document, { fileProvider });
  for (const { range, message } of found) {
    console.error(`${path}:${range.start.line + 1}: ${message}`);
  }
  console.log(`${path}: ${found.length ? `${found.length} findings` : "well formed"}`);
  wrong += found.length;
}
process.exitCode = wrong ? 1 : 0;
