import { expect, test } from "vitest";
import { readSlurmOptions, slurmFlags } from "./options.ts";

test("options as Slurm's commands take them", () => {
  const options = readSlurmOptions({
    slurm: true,
    partition: "gpu",
    gres: "gpu:1",
    time: "1-12",
    cpus: "8",
    sbatch: " account=astro --mem=32G  exclusive",
  })!;
  expect(slurmFlags(options)).toEqual([
    "--partition=gpu",
    "--gres=gpu:1",
    "--time=1-12",
    "--cpus-per-task=8",
    "--account=astro",
    "--mem=32G",
    "--exclusive",
  ]);
  expect(slurmFlags(readSlurmOptions({ slurm: true })!)).toEqual(["--cpus-per-task=4"]);
  expect(readSlurmOptions({ slurm: false, parallel: "2" })).toBeUndefined();
});

test.each(["5", "5:00", "0:05:00", "0-1", "0-0:05", "0-0:5:0", "UNLIMITED"])(
  "--time %s is enough",
  (time) => {
    expect(readSlurmOptions({ slurm: true, time })).toMatchObject({ time });
  },
);

test.each(["4", "4:59", "0:04:59", "0-0", "0-0:4:59"])(
  "--time %s leaves no time to work",
  (time) => {
    expect(() => readSlurmOptions({ slurm: true, time })).toThrow(
      `expected at least 5 minutes for --time, of which the last 2 are for saving, but got ${time}`,
    );
  },
);

test("what cannot be meant is refused", () => {
  expect(() => readSlurmOptions({ slurm: true, sbatch: "mem=1G =2" })).toThrow(
    "expected NAME=VALUE, separated by spaces, for --sbatch but got =2",
  );
  expect(() => readSlurmOptions({ slurm: true, cpus: "0" })).toThrow(
    "expected a whole number of at least 1 for --cpus but got 0",
  );
  expect(() => readSlurmOptions({ slurm: true, parallel: "2" })).toThrow(
    "expected --parallel without --slurm",
  );
  expect(() => readSlurmOptions({ slurm: true, job: "blend" })).toThrow(
    "expected --slurm or --job but got both",
  );
  for (const name of ["partition", "gres", "time", "cpus", "sbatch"])
    expect(() => readSlurmOptions({ slurm: false, [name]: "1" })).toThrow(
      `expected --slurm with --${name} but got none`,
    );
});
