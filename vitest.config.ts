import { defineConfig } from "vitest/config";

export default defineConfig({
  // Tests import the packages' sources, so no test of a pure function needs a build first.
  ssr: { resolve: { conditions: ["@gz/source"] } },
  test: {
    include: ["{packages,apps}/*/{src,test}/**/*.test.ts", "test/**/*.test.ts"],
    setupFiles: ["./test/setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
  },
});
