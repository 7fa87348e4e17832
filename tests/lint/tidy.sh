#!/usr/bin/env bash
# tidy.sh: clang-tidy with the checks of .clang-tidy, all of them errors.
. tests/lint/lib

make --no-print-directory -s generated
files | grep '\.c$' | xargs -P "$JOBS" -I{} clang-tidy --quiet {} -- "${flags[@]}" 2>/dev/null |
    grep -E '(error|warning): ' | sort -u | report "clang-tidy finds nothing"
finish
