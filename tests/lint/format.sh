#!/usr/bin/env bash
# format.sh: clang-format decides the layout. Mend with: clang-format -i FILE
. tests/lint/lib

c_files | xargs -P "$JOBS" -n 1 sh -c 'clang-format --dry-run -Werror "$0" 2>/dev/null || echo "$0"' | sort |
    report "clang-format has nothing to change"
finish
