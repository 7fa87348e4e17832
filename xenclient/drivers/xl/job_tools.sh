# Beginning of a job, and what its actions use: phase, look, spawn, over, finish ...

read -r stat <"/proc/$$/stat"
set -f
sign() { shift 19; echo "$$ $1" >"$fence/pid"; }
sign ${stat##*)}
[ -n "$config" ] || config=$fence/config

# What xl makes shall have the rights it always has.
umask 022
cd /
code=0 reached= firm=

# Debian's xl is a script that looks for the tools of the running version.
xl=xl
if [ -r /sys/hypervisor/version/minor ]; then
    read -r major </sys/hypervisor/version/major
    read -r minor </sys/hypervisor/version/minor
    [ ! -x "/usr/lib/xen-$major.$minor/bin/xl" ] || xl=/usr/lib/xen-$major.$minor/bin/xl
fi
phase() { [ "$1" = "$reached" ] || { reached=$1; echo "$1" >"$fence/phase"; }; }

# Old fences: their results go into one file, whose last 8,000 lines are kept.
clean() {
    mkdir "$run/cleaning" || {
        find "$run/cleaning" -maxdepth 0 -mmin +60 -exec rmdir {} \; ; return; }
    find "$run" -mindepth 1 -maxdepth 1 -mmin +1440 | while IFS= read -r old; do
        case ${old##*/} in
        new.*) rm -f "$old" ;;
        *-*-*-*-*)
            [ -e "$old/status" ] && read -r status <"$old/status" &&
                echo "${old##*/} $status" >>"$run/finished" && rm -rf "$old" ;;
        esac
    done
    if [ -e "$run/finished" ] && [ "$(wc -l <"$run/finished")" -gt 10000 ]; then
        tail -n 8000 "$run/finished" >"$run/finished.new" &&
            mv "$run/finished.new" "$run/finished"
    fi
    rmdir "$run/cleaning"
} 2>/dev/null

# finish RESULT CAUSE [NOTE]; cause - : the words of xl tell
finish() {
    settle "$1 $2 $code" "${3-}"
    rm -f "$fence/config" "$fence/list" "$fence/rc" "$fence/transport" "$fence/pipe"
    clean
    exit 0
}

# The clock that nobody sets.
clock() { read -r now rest </proc/uptime; now=${now%%.*}; }
clock; end=$((now + limit)) naps=0
nap() { naps=$((naps + 1)); if [ $naps -le 10 ]; then sleep 0.2; else sleep 1; fi; }

# True when it must end; why says why. firm: there is no way back any more, so it can't be cancelled.
over() {
    if [ -z "$firm" ] && [ -e "$fence/cancel" ]; then why=cancelled; return 0; fi
    clock; why=timedOut; [ $now -ge $end ]
}

# find_row: id, state, memory and processors of the domain in the list, empty when it is not there. The columns are
# counted from the right, for a name may hold anything; half-moved ones do not count.
find_row() {
    id= state= mem= cpus=
    while IFS= read -r line; do
        row=$line
        if [ -z "$uuid" ]; then
            row=${line#"$name "}
            [ "$row" != "$line" ] || continue
        fi
        set -- $row
        if [ -n "$uuid" ]; then
            [ $# -gt 8 ] || continue
            case $line in *"--incoming "*|*"--migratedaway "*) continue ;; esac
            shift $(($# - 8))
            [ "$6" = "$uuid" ] || continue
        fi
        [ $# -eq 8 ] || continue
        case $1 in ''|*[!0-9]*) continue ;; esac
        id=$1 mem=$2 cpus=$3 state=$4
    done <"$fence/list"
}

look() { timeout -k 2 30 "$xl" list -v >"$fence/list" </dev/null && find_row; }

# The last look before acting: domain numbers are used again, and Domain-0 is never acted on.
guard() {
    look || { code=1; finish failed - 'xl list failed'; }
    [ "$id" = "$domid" ] || finish failed noSuchTarget 'the domain ended or restarted meanwhile'
    [ "$id" != 0 ] || finish failed protected 'Domain-0 takes no action'
}

stopped() { case $state in ???s*|?????d) return 0 ;; esac; return 1; }

# spawn ARGS: xl in the background; ended: true when it is, with its exit status in code
spawn() {
    : >"$fence/rc"
    { "$xl" "$@" </dev/null & echo $! >"$fence/xl.pid"; wait $!; echo $? >"$fence/rc"; } &
}

ended() { [ -s "$fence/rc" ] && read -r code <"$fence/rc"; }
stop() { ended || { read -r victim <"$fence/xl.pid" && kill "$victim"; } 2>/dev/null; }

# An xl gone mad must not fill the host's memory with words.
bound() {
    [ $((naps % 8)) != 7 ] || [ "$(wc -c <"$fence/err")" -lt 1000000 ] || : >"$fence/err"
}

# wait_xl: until what was spawned ends. Only for what may be stopped at any time.
wait_xl() {
    until ended; do
        over && { stop; finish $why $why; }
        bound; nap
    done
}
