/** The TensorFlow release that the addon is built against. */
export const TENSORFLOW_VERSION = "2.21.0";

/** What decides whether TensorFlow's wheels run on a machine. */
export interface Host {
  platform: string;
  arch: string;
  /** glibc's version on Linux; undefined where the C library is another one (musl). */
  glibc: string | undefined;
}

/** What to fetch and how to link on a host. */
export interface Target {
  /** pip's name and version of the TensorFlow package. */
  requirement: string;
  /** The two shared libraries inside the wheel's `tensorflow` folder. */
  libraries: readonly [string, string];
  /** Free space that fetching needs, in bytes. */
  bytes: number;
  /** Keeps everything pip installs: the CUDA library looks for its neighbours in pip's layout. */
  keepAll: boolean;
  cuda: boolean;
  /** False where the steps are the same but nobody has run them. */
  tested: boolean;
}

const GB = 1e9;

/** This process's machine. */
export function thisHost(): Host {
  const report = process.report?.getReport() as unknown as
    | { header: { glibcVersionRuntime?: string } }
    | undefined;
  return {
    platform: process.platform,
    arch: process.arch,
    glibc: report?.header.glibcVersionRuntime,
  };
}

/** What to build on `host`, or an Error that says why nothing can be built there. */
export function targetFor(host: Host, cuda: boolean): Target {
  const name = `${host.platform}-${host.arch}`;
  const serves = "the wasm backend serves here, with nothing to install";
  const supported = ["linux-x64", "linux-arm64", "darwin-arm64"];
  if (!supported.includes(name))
    throw new Error(
      `native: expected one of ${supported.join(", ")} but this is ${name}; ${serves}`,
    );
  if (host.platform === "linux") {
    if (host.glibc === undefined)
      throw new Error(
        `native: expected glibc but this Linux has another C library (musl?), for which TensorFlow has no wheels; ${serves}`,
      );
    const [major = 0, minor = 0] = host.glibc.split(".").map(Number);
    if (major < 2 || (major === 2 && minor < 27))
      throw new Error(
        `native: expected glibc 2.27 or newer but this system has ${host.glibc}; ${serves}`,
      );
  }
  if (cuda && name !== "linux-x64")
    throw new Error(`native: expected linux-x64 for --cuda but this is ${name}; leave --cuda out`);
  const mac = host.platform === "darwin";
  const pipName = cuda
    ? "tensorflow[and-cuda]"
    : name === "linux-x64"
      ? "tensorflow-cpu"
      : "tensorflow";
  return {
    requirement: `${pipName}==${TENSORFLOW_VERSION}`,
    libraries: mac
      ? ["libtensorflow_cc.2.dylib", "libtensorflow_framework.2.dylib"]
      : ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"],
    bytes: cuda ? 12 * GB : 1.5 * GB,
    keepAll: cuda,
    cuda,
    tested: name === "linux-x64" && !cuda,
  };
}
