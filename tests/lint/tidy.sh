#!/usr/bin/env bash
# tidy.sh: clang-tidy with the checks of .clang-tidy, all of them errors.
. tests/lint/lib

# How far the analyzer follows a function: a third of its own limit, in a third of the time, which is most of lint's.
analyzer=(-Xclang -analyzer-config -Xclang max-nodes=75000)

make --no-print-directory -s generated
files | grep '\.c$' | xargs -P "$JOBS" -I{} clang-tidy --quiet "${analyzer[@]/#/--extra-arg=}" {} -- "${flags[@]}" 2>/dev/null |
    grep -E '(error|warning): ' | sort -u | report "clang-tidy finds nothing"
finish
