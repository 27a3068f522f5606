import { defineConfig } from "vitest/config";

export default defineConfig({
  // Tests import the packages' sources, so no test of a pure function needs a build first.
  ssr: { resolve: { conditions: ["@gz/source"] } },
  test: {
    include: ["{packages,apps}/*/{src,test}/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["./test/setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Generous: tests start processes and backends, and machines are shared.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
});
