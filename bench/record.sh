# shellcheck shell=bash
# What the benchmarks share: times of ways that take turns, their medians, and the lines of bench/builds.md.
# Sourced, as the first thing.

# timed WAY COMMAND...: note the seconds that it takes.
timed() {
  local way=$1 TIMEFORMAT=%R
  shift
  { time "$@" 2>&3; } 3>&2 2>>"seconds.$way"
}
median() { sort -g "seconds.$1" | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# record WHAT WAY [OTHER [WANTED]]: one line, "| what | seconds | other's seconds | times as fast | wanted |", to the
# terminal and, for bench/builds, to the file that BENCH_TABLE names.
record() {
  local ours theirs='' ratio=''
  ours=$(median "$2")
  if [ -n "${3-}" ]; then
    theirs=$(median "$3")
    ratio=$(awk -v a="$theirs" -v b="$ours" 'BEGIN {printf "%.2f", a / b}')
  fi
  printf '| %s | %.2f | %s | %s | %s |\n' "$1" "$ours" "${theirs:+$(printf %.2f "$theirs")}" "$ratio" "${4-}" | tee -a "${BENCH_TABLE:-/dev/null}"
}
