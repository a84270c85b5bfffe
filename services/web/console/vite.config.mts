import { defineConfig } from "vite";

// `npx vite services/web/console` serves the sources for those who change them, before a mesh of `maie up`.
const MESH = "http://127.0.0.1:8080";

export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: "../maie_web/static",
    emptyOutDir: true,
    // The Content-Security-Policy allows no data in the place of files.
    assetsInlineLimit: 0,
    license: { fileName: "licences.md" },
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: { proxy: { "/v1": MESH, "/health": MESH, "/docs": MESH } },
});
