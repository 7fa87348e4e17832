#!/usr/bin/env bash
# scripts.sh: shell scripts under shellcheck, Python scripts through Python's own compiler.
. tests/lint/lib

mapfile -t shell < <(scripts_of 'sh|bash')
shellcheck --severity=warning --format=gcc -x "${shell[@]}" tests/lint/lib tools/xenctl/completion.bash | report "shellcheck finds nothing"

# What the xl driver sends to hosts: pieces of a script, behind variables that the driver's C code sets.
given() {
    sed -n 's/.*assign[_a-z]*([a-z]*, "\([A-Za-z_]*\)".*/\1="$1"/p' xenclient/drivers/xl_*.c | sort -u
    echo 'c="$1"'
}
for pieces in 'job_report job_tools job_actions job_suspend' 'job_report job_launch job_forbid job_cancel' \
    'poll_head poll_tool poll_list poll_files poll_once poll_store poll_configs'; do
    {
        given
        for piece in $pieces; do
            cat "xenclient/drivers/xl/$piece.sh"
        done
    } | shellcheck --shell=dash --severity=warning --exclude=SC1007,SC2034 --format=gcc - | sed "s/^-/${pieces%% *} .../"
done | report "shellcheck finds nothing in what is sent to hosts"

mapfile -t python < <(scripts_of python3; files | grep '\.py$')
python3 - "${python[@]}" <<'END' 2>&1 | report "Python compiles every script"
import sys
for name in sorted(set(sys.argv[1:])):
    try:
        compile(open(name).read(), name, "exec")
    except SyntaxError as error:
        print(error)
END

for script in "${shell[@]}" "${python[@]}"; do
    [[ -x $script ]] || head -n 1 "$script" | grep -v -q '^#!' || echo "$script has a first line of a program and no run bit"
done | report "scripts can be run"
finish
