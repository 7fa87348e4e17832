#!/usr/bin/env bash
# compilers.sh: gcc and clang build everything without a warning, and each header compiles alone.
. tests/lint/lib

build() { # build MAKE-SETTING...: findings
    local out
    out=$(make --no-print-directory -k -j"$JOBS" "$@" lint-build 2>&1) ||
        grep -E 'error|warning|undefined|\*\*\*' <<<"$out"
}
# shellcheck disable=SC2016 # the inner shell expands them
header_alone() { # header_alone COMPILER
    files | grep '\.h$' | grep -v '^tests/' |
        xargs -P "$JOBS" -I{} bash -c 'echo "#include \"$1\"" | "$0" -x c -fsyntax-only -Wall -Wextra -Werror "${@:2}" - 2>&1' \
            "$1" {} "${flags[@]}"
}

build BUILD="$BUILD" | report "gcc builds all without a warning"
build BUILD="$BUILD/lint-clang" CC=clang CFLAGS='-O1 -g' | report "clang builds all without a warning"
for compiler in gcc clang; do
    header_alone $compiler | grep -E 'error' | report "every header compiles alone with $compiler"
done
finish
