import { expect, test } from "vitest";
import { type Host, targetFor, thisHost } from "./target.ts";

const linux: Host = { platform: "linux", arch: "x64", glibc: "2.36" };

test("chooses pip's package and the libraries' names", () => {
  expect(targetFor(linux, false)).toMatchObject({
    requirement: "tensorflow-cpu==2.21.0",
    libraries: ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"],
    keepAll: false,
    tested: true,
  });
  expect(targetFor(linux, true)).toMatchObject({
    requirement: "tensorflow[and-cuda]==2.21.0",
    keepAll: true,
    tested: false,
  });
  expect(targetFor({ ...linux, arch: "arm64" }, false)).toMatchObject({
    requirement: "tensorflow==2.21.0",
    tested: false,
  });
  expect(targetFor({ platform: "darwin", arch: "arm64", glibc: undefined }, false)).toMatchObject({
    requirement: "tensorflow==2.21.0",
    libraries: ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"],
    tested: false,
  });
});

test("says where it cannot be built, and that wasm serves", () => {
  const wasm = "the wasm backend serves here, with nothing to install";
  expect(() => targetFor({ platform: "win32", arch: "x64", glibc: undefined }, false)).toThrow(
    `native: expected one of linux-x64, linux-arm64, darwin-arm64 but this is win32-x64; ${wasm}`,
  );
  expect(() => targetFor({ ...linux, glibc: undefined }, false)).toThrow(
    `native: expected glibc but this Linux has another C library (musl?), for which TensorFlow has no wheels; ${wasm}`,
  );
  expect(() => targetFor({ ...linux, glibc: "2.17" }, false)).toThrow(
    `native: expected glibc 2.27 or newer but this system has 2.17; ${wasm}`,
  );
  expect(() => targetFor({ ...linux, arch: "arm64" }, true)).toThrow(
    "native: expected linux-x64 for --cuda but this is linux-arm64; leave --cuda out",
  );
});

test("knows this machine", () => {
  const { glibc, ...host } = thisHost();
  expect(host).toMatchObject({ platform: process.platform, arch: process.arch });
  if (process.platform === "linux") expect(glibc).toMatch(/^2\.\d+/);
});
