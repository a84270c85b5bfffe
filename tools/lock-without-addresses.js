// Takes out of a folder's package-lock.json what holds addresses and is not needed to install: the packages' funding pages.
const fs = require("node:fs");
const { join } = require("node:path");

const path = join(process.argv[2], "package-lock.json");
const lock = JSON.parse(fs.readFileSync(path, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
}
const text = JSON.stringify(lock, null, 2) + "\n";
if (text.includes("://")) {
  throw new Error(`${path} still holds an address`);
}
fs.writeFileSync(path, text);
