import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const entries = ["src/site.ts", "src/viewer/main.ts", "src/upload/main.ts", "src/dashboards/main.ts"];

export default defineConfig({
  base: "/static/",
  publicDir: false,
  build: {
    outDir: "dist",
    manifest: true,
    target: "es2023",
    // Strict content security policy: nothing is inlined as a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // htmx can evaluate attributes; we switch that off (site.ts), the function stays in its code.
      checks: { eval: false },
      input: entries.map((entry) => fileURLToPath(new URL(entry, import.meta.url))),
    },
    chunkSizeWarningLimit: 2000,
  },
  worker: { format: "es" },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
