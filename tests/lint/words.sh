#!/usr/bin/env bash
# words.sh: words and calls that must not be in the tree. The patterns are written so that they do not match themselves.
. tests/lint/lib

ours=$(files | grep -vE '^(tests/fixtures/|LICENSE|tests/lint/words\.sh$)|\.svg$')

find_words() { # find_words PATTERN [FILES-PATTERN]
    grep -E "${2:-.}" <<<"$ours" | xargs -d '\n' grep -nIE "$1" /dev/null | cut -c1-160
}

find_words '\b([T]ODO|[F]IXME|[X]XX|[H]ACK)\b' | report "nothing is left unfinished"
find_words '\b(strcpy|strcat|sprintf|vsprintf|gets|system|atoi|atol|strtok|tmpnam|mktemp)[(]' '\.[ch]$' |
    report "no unsafe function is called"
find_words '(^|[^A-Za-z0-9_.$}])/(work|home)/' | report "no path of one machine"
find_words '[|][|] *true\b|assert_true[(]1[)]|exit 0 *# *skip' '^(tests|\.ci)/' | report "every check can fail"
find_words '[[:space:]]+$' '\.(c|h|def|sql|py|sh|md|t)$|Makefile|^mibs/' | report "no line ends in blanks"
find_words '^ *<<<<<<< |^ *>>>>>>> ' | report "no conflict marks"
for file in $(files | grep '\.h$'); do
    grep -q '^#pragma once$' "$file" || echo "$file"
done | report "every header says #pragma once"
for file in $(files | grep '\.[ch]$'); do
    head -n 1 "$file" | grep -q '^/\*' || echo "$file"
done | report "every source file begins by saying what it is"
finish
