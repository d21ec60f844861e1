// Says of each travel-rule payload on standard input (a JSON array) whether it is valid, by a
// library that we did not write. Its module is found through the folder in IVMS101_MODULES.
import { pathToFileURL } from "node:url";

const library = `${process.env.IVMS101_MODULES}/ivms101/dist/index.js`;
const { isValidIVMS101_2023 } = await import(pathToFileURL(library));
let text = "";
for await (const piece of process.stdin) text += piece;
console.log(JSON.stringify(JSON.parse(text).map((each) => isValidIVMS101_2023(each))));
