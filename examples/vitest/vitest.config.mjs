import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "./sandbox.setup.mjs", // One sandbox for all test files.
    testTimeout: 60_000,
  },
});
