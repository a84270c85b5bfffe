import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig, type Plugin } from "vite";

// `npx vite services/web/console` serves the sources for those who change them, before a mesh of `maie up`.
const MESH = "http://127.0.0.1:8080";

/** Ships the licences of what is inside Swagger UI's own bundle, which Vite cannot see. */
const swaggerLicences: Plugin = {
  name: "licences of Swagger UI's bundle",
  generateBundle() {
    const file = "swagger-ui-dist/swagger-ui-es-bundle.js.LICENSE.txt";
    const source = readFileSync(createRequire(import.meta.url).resolve(file), "utf-8");
    this.emitFile({ type: "asset", fileName: "licences-of-swagger-ui.txt", source });
  },
};

export default defineConfig({
  root: import.meta.dirname,
  plugins: [swaggerLicences],
  build: {
    outDir: "../maie_web/static",
    emptyOutDir: true,
    // The Content-Security-Policy allows no data in the place of files.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: ["index.html", "documentation.html"].map((page) => `${import.meta.dirname}/${page}`),
    },
    license: { fileName: "licences.md" },
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/v1": MESH, "/health": MESH, "/docs": MESH } },
});
