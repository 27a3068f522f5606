#!/usr/bin/env bash
# A real Slurm on this machine, two nodes simulated on it: munged, slurmctld and two slurmd, all their files in one folder.
#
#   setup.sh install         Debian's packages (as root)
#   setup.sh start FOLDER    starts it; then: export SLURM_CONF=FOLDER/slurm.conf
#   setup.sh stop FOLDER     ends it
#
# A node that comes back without a task lost it, unless the task is younger than BatchStartTimeout and ten seconds.
# Each node pretends to have two cores. The daemons' ports are the environment's GZ_SLURM_PORT (default 17001) and the
# two after it. There is no slurmdbd, so sacct has nothing to tell, as on many small clusters.
set -euo pipefail

install() {
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends slurm-wlm munge
}

start() {
  local folder port
  folder=$(mkdir -p "$1" && cd "$1" && pwd)
  port=${GZ_SLURM_PORT:-17001}
  mkdir -p "$folder"/{state,node1,node2,munge}
  chmod 700 "$folder/munge"
  head -c 1024 /dev/urandom >"$folder/munge/key"
  chmod 400 "$folder/munge/key"
  # shellcheck disable=SC2024
  munged --force --key-file "$folder/munge/key" --socket "$folder/munge/socket" \
    --pid-file "$folder/munge/pid" --log-file "$folder/munge/log" --seed-file "$folder/munge/seed"
  cat >"$folder/slurm.conf" <<CONF
ClusterName=gz
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
SwitchType=switch/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
JobRequeue=1
KillWait=10
BatchStartTimeout=1
MinJobAge=30
InactiveLimit=0
SchedulerParameters=sched_interval=2,bf_interval=2
NodeName=node1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=2 RealMemory=2000 State=UNKNOWN
NodeName=node2 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=short Nodes=node[1-2] Default=YES MaxTime=60 State=UP
PartitionName=other Nodes=node[1-2] MaxTime=60 State=UP
CONF
  export SLURM_CONF="$folder/slurm.conf"
  slurmctld
  slurmd -N node1
  slurmd -N node2
  for _ in $(seq 60); do
    if [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = 2 ]; then
      echo "SLURM_CONF=$SLURM_CONF"
      return
    fi
    sleep 1
  done
  echo "setup.sh: expected 2 idle nodes within a minute but sinfo says:" >&2
  sinfo >&2 || true
  tail -n 20 "$folder"/*.log >&2
  return 1
}

stop() {
  local file pid
  for file in "$1"/node1.pid "$1"/node2.pid "$1"/slurmctld.pid "$1"/munge/pid; do
    pid=$(cat "$file" 2>/dev/null) && kill "$pid" 2>/dev/null || continue
    while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  done
}

case "${1:-}" in
  install) install ;;
  start) start "${2:?FOLDER}" ;;
  stop) stop "${2:?FOLDER}" ;;
  *)
    sed -n '2,6p' "$0"
    exit 2
    ;;
esac
