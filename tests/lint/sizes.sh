#!/usr/bin/env bash
# sizes.sh: files and functions that a head can hold. A file without any function is pure data and may be long.
. tests/lint/lib

FILE_WARN=600 FILE_MAX=800 FUNCTION_WARN=60 FUNCTION_MAX=100

code_files() {
    c_files
    scripts_of 'sh|bash|python3'
    files | grep '\.py$'
}
lengths() { # LINES FILE of every file that has code
    code_files | sort -u | while read -r file; do
        if [[ $file != *.[ch] ]] || grep -q '^{$' "$file"; then
            echo "$(wc -l <"$file") $file"
        fi
    done
}
# LINES FILE:LINE NAME of every function: clang-format puts the braces of a function's body, and no others,
# alone into column one.
# shellcheck disable=SC2016 # awk's variables
functions() {
    c_files | xargs awk '
        FNR == 1 { open = 0 }
        /^[A-Za-z_].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name); at = FNR }
        /^{$/ { open = FNR }
        /^}$/ && open { print FNR - open - 1, FILENAME ":" at, name; open = 0 }'
}

file_lengths=$(lengths)
function_lengths=$(functions)
over() { # over LIMIT UPTO WHAT
    awk -v limit="$1" -v upto="$2" '$1 > limit && $1 <= upto { print $0 " (lines)" }'
}
over $FILE_WARN $FILE_MAX <<<"$file_lengths" | warn "long file"
over $FUNCTION_WARN $FUNCTION_MAX <<<"$function_lengths" | warn "long function"
over $FILE_MAX 1000000 <<<"$file_lengths" | report "no file has more than $FILE_MAX lines"
over $FUNCTION_MAX 1000000 <<<"$function_lengths" | report "no function has more than $FUNCTION_MAX lines"
finish
