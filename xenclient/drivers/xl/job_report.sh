# Foreign text never becomes shell: it comes in variables that are always used in quotes, and domains are named by
# number only, after their uuid was seen beside it. POSIX sh (dash), coreutils, xl. report prints what
# xl_report_parse() reads; needs op.

umask 077
run=${XENSNMP_RUN:-/run/xensnmp}
fence=$run/$op

# A number alone may belong to another process by now: the start time tells.
alive() {
    read -r pid started <"$fence/pid" && read -r stat <"/proc/$pid/stat" || return 1
    set -- ${stat##*)}
    [ "${20}" = "$started" ]
} 2>/dev/null

finished() { [ -e "$run/finished" ] && grep "^$op " "$run/finished"; }
print_status() {
    { read -r status && read -r note || :; } <"$fence/status"
    printf 'state done\nstatus %s\nnote %s\n' "$status" "$note"
}

report() {
    status= note= phase=
    read -r boot </proc/sys/kernel/random/boot_id
    echo "boot $boot"
    if [ ! -d "$fence" ]; then
        if status=$(finished); then printf 'state done\nstatus %s\n' "${status#* }"
        else echo 'state absent'; fi
        echo --
        return
    fi
    [ -e "$fence/phase" ] && read -r phase <"$fence/phase"
    echo "phase $phase"
    if [ -e "$fence/status" ]; then print_status
    elif [ ! -s "$fence/pid" ]; then echo 'state starting'
    elif alive; then echo 'state running'
    # It may have ended between the two looks.
    elif [ -e "$fence/status" ]; then print_status
    else echo 'state dead'; fi
    echo --
    [ ! -s "$fence/err" ] || tail -c 8192 "$fence/err"
}

take_fence() {
    mkdir "$fence" 2>/dev/null || return 1
    finished >/dev/null || return 0
    rmdir "$fence"; return 1
}

# What is put in place by rename is there whole or not at all.
settle() {
    printf '%s\n%s\n' "$1" "$2" >"$fence/status.new"
    mv "$fence/status.new" "$fence/status"
}
