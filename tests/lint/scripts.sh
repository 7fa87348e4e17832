#!/usr/bin/env bash
# scripts.sh: shell scripts under shellcheck, Python scripts through Python's own compiler.
. tests/lint/lib

mapfile -t shell < <(scripts_of 'sh|bash')
shellcheck --severity=warning --format=gcc -x "${shell[@]}" tests/lint/lib tools/xenctl/completion.bash | report "shellcheck finds nothing"

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
