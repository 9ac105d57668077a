# shellcheck shell=bash
# What the benchmarks share: times of ways that take turns, their medians, and the lines of bench/builds.md and the like.
# Sourced, as the first thing.

# timed WAY COMMAND...: note the seconds of the clock that it takes, and those of the processor.
timed() {
  local way=$1 TIMEFORMAT='%R %U %S'
  shift
  { time "$@" 2>&3; } 3>&2 2>>"seconds.$way"
}
# median WAY [cpu]
median() {
  awk -v cpu="${2-}" '{print cpu ? $2 + $3 : $1}' "seconds.$1" | sort -g |
    awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}
# ratio A B: A / B
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }

# record WHAT WAY [OTHER [WANTED]]: one line, "| what | seconds | other's seconds | times as fast | wanted |", to the
# terminal and, for bench/builds, to the file that BENCH_TABLE names.
record() {
  local ours theirs='' times=''
  ours=$(median "$2")
  if [ -n "${3-}" ]; then
    theirs=$(median "$3")
    times=$(ratio "$theirs" "$ours")
  fi
  printf '| %s | %.2f | %s | %s | %s |\n' "$1" "$ours" "${theirs:+$(printf %.2f "$theirs")}" "$times" "${4-}" | tee -a "${BENCH_TABLE:-/dev/null}"
}

# heading TITLE [ROUNDS]: what a file of figures begins with; with ROUNDS these are seconds. $0 is the benchmark, in its folder.
heading() {
  printf '# %s\n\n' "$1"
  # shellcheck disable=SC2016 # Markdown
  printf 'Written by `bench/%s`, %s, commit %s: %s processors (%s), Linux %s' "$(basename "$0")" \
    "$(date -u +%F)" "$(git -C "$(dirname "${BASH_SOURCE[0]}")" log -1 --format=%h)" "$(nproc)" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(uname -r)"
  [ -z "${2-}" ] || printf '; seconds, medians of %s rounds in which the ways\ntook turns. The classical way is root, losetup, mount, qemu and chroot' "$2"
  printf '.\n\n'
}
