/** The batch script of a job array: which job a task runs, and what becomes of one that is stopped or fails. */
import { threadArgs } from "../child.ts";
import { NOTICE_SECONDS, type SlurmOptions, slurmFlags } from "./options.ts";
import { TRIES } from "./tries.ts";

export interface ScriptOptions {
  /** Of the ensemble. */
  folder: string;
  /** Of the Slurm job. */
  name: string;
  /** In the order of the array's indices. */
  jobs: readonly string[];
  /** The command line: node and the app. */
  command: readonly string[];
  slurm: SlurmOptions;
}

export function arrayScript({ folder, name, jobs, command, slurm }: ScriptOptions): string {
  const flags = [
    `--job-name=${name}`,
    "--requeue",
    `--signal=B:USR1@${NOTICE_SECONDS}`,
    ...slurmFlags(slurm),
  ];
  return `#!/bin/bash
${flags.map((flag) => `#SBATCH ${flag}`).join("\n")}

# Made by kaggle reproduce --slurm. A task runs one job of the folder, whose files say what is done, so it may be run
# again at any time. One that ends undone is queued again, unless it was cancelled, or ${TRIES} starts in a row saved
# nothing new.
folder=${quote(folder)}
jobs=(
${jobs.map((job) => `  ${quote(job)}`).join("\n")}
)
job=\${jobs[$SLURM_ARRAY_TASK_ID]}
task=\${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID # SLURM_JOB_ID of one of the tasks is the whole array's
name=\${job//\\//-}
tries=$folder/slurm/tries/$name
exec >>"$folder/logs/$name.log" 2>&1
echo "start $(date -Is), task $task on $SLURMD_NODENAME" | tee -a "$tries"

# The cluster's notice: soon the time is over (USR1, to this shell alone), or the task has to go (TERM).
told=
trap 'told=yes; kill -TERM "$child"' USR1 TERM
export NO_COLOR=1
${command.map(quote).join(" ")} reproduce --out "$folder" --job "$job" ${threadArgs(slurm.cpus).join(" ")} &
child=$!
wait "$child"
code=$?
while [ -n "$told" ]; do # the notice ended the wait, not the child
  told=
  wait "$child"
  code=$?
done

if [ "$code" = 0 ]; then
  rm -f "$tries"
else
  echo "task $task ended with code $code"
  # After scancel, or queued again by Slurm itself, it is not running any more.
  state=$(squeue --noheader --jobs "$task" --format %T)
  if [ "$state" = RUNNING ] && [ "$(grep -c ^start "$tries")" -lt ${TRIES} ]; then scontrol requeue "$task"; fi
fi
exit "$code"
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
