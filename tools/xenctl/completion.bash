# shellcheck shell=bash disable=SC2154 # the tables, which xenctl prints
# Completion for xenctl; made by `xenctl completion`, which puts its tables of commands and options behind this.
#
# Names come from guests and hosts: they are compared and quoted, never expanded (which compgen -W would do).

# _xenctl_offer WORD...: those that begin like the word at the cursor.
_xenctl_offer() {
    local word
    for word; do
        printf -v word %q "$word"
        [[ $word != "$now"* ]] || COMPREPLY+=("$word")
    done
}

# _xenctl_names KIND: what the agent knows, or nothing within two seconds.
_xenctl_names() {
    local names
    mapfile -t names < <(timeout 2 "$program" names "$1" "${agent[@]}" 2>/dev/null </dev/null)
    _xenctl_offer "${names[@]}"
}

# _xenctl_kind WORD: completes what help calls so; "[A|B]" is either.
_xenctl_kind() {
    local kind kinds names
    IFS='|' read -ra kinds <<<"${1//[\[\]]/}"
    for kind in "${kinds[@]}"; do
        case $kind in
        NAME | MEMBER | MEMBER...) _xenctl_names domains ;;
        GROUP) _xenctl_names groups ;;
        HOST) _xenctl_names hosts ;;
        SOURCE) _xenctl_names sources ;;
        SNAPSHOT) _xenctl_names snapshots ;;
        N) _xenctl_names ops ;;
        KIND) _xenctl_offer domains groups hosts ops snapshots sources ;;
        COMMAND)
            names=("${!_xenctl_arguments[@]}")
            _xenctl_offer "${names[@]%% *}"
            ;;
        FILE | DIR)
            compopt -o filenames 2>/dev/null
            [ "$kind" = FILE ] && mapfile -t COMPREPLY < <(compgen -f -- "$now")
            [ "$kind" = DIR ] && mapfile -t COMPREPLY < <(compgen -d -- "$now")
            ;;
        esac
    done
}

# The command that the first words name, or the words that may be next when they name none yet.
_xenctl_command() {
    local name next=() begun="${words[*]}${words[*]:+ }"
    for name in "${!_xenctl_arguments[@]}"; do
        if [[ $begun == "$name "* ]]; then
            command=$name
            return
        fi
        [[ $name != "$begun"* ]] || next+=("${name#"$begun"}")
    done
    _xenctl_offer "${next[@]%% *}"
}

_xenctl() {
    local program=$1 now=${COMP_WORDS[COMP_CWORD]} words=() agent=() option='' command='' i word arguments IFS=$' \t\n'
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        =) ;; # bash makes words of = and : in a word
        :)
            i=$((i + 1))
            [ ${#agent[@]} -eq 0 ] || agent[-1]+=:${COMP_WORDS[i]}
            ;;
        --*) option=${_xenctl_takes[$word]:+$word} ;;
        *)
            if [ -z "$option" ]; then
                words+=("$word")
            elif [[ " $_xenctl_agent " == *" $option "* ]]; then
                agent+=("$option" "$word")
            fi
            option=
            ;;
        esac
    done
    [ "$now" != = ] || now=
    if [ -n "$option" ]; then
        case ${_xenctl_takes[$option]} in HOST | FILE | DIR) _xenctl_kind "${_xenctl_takes[$option]}" ;; esac
        return
    fi
    _xenctl_command
    [ -n "$command" ] || return 0
    if [[ $now == -* ]]; then
        read -ra words <<<"${_xenctl_options[$command]}"
        _xenctl_offer "${words[@]}"
    else
        read -ra arguments <<<"$command ${_xenctl_arguments[$command]}"
        _xenctl_kind "${arguments[${#words[@]}]:-}"
    fi
}
complete -F _xenctl xenctl
