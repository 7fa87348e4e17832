# One function per action, each ends by finish.

# forget [NAME]: a domain that goes on leaves its save files behind, but for the one of that name: they are older than
# its disks.
forget() {
    [ -z "$save_dir" ] || [ -z "$uuid" ] ||
        find "$save_dir/" -maxdepth 1 -type f ! -name "${1-}" \
        \( -name "$uuid.*.xensave*" -o -name "$uuid.*.saving" \) -exec rm -f {} +
} 2>/dev/null

# xl pause and unpause exit 0 even when Xen refused: only the state counts.
do_pause() {
    guard; stopped && finish failed badState 'the domain has ended'
    phase pausing; spawn pause "$domid"; wait_xl; look
    case $id/$state in $domid/??p*) finish ok none ;; esac
    finish failed -
}

do_unpause() {
    guard; stopped && finish failed badState 'the domain has ended'
    forget; phase unpausing; spawn unpause "$domid"; wait_xl
    look && stopped && finish failed badState 'the domain has ended'
    case $id/$state in $domid/??[-]*) finish ok none ;; esac
    finish failed -
}

# A dying domain runs no more; what keeps it is a device that lets go late.
wait_gone() {
    dying=0
    until look && [ "$id" != "$domid" ]; do
        case $state in ?????d) dying=$((dying + 1)); [ $dying -gt 30 ] && return ;; esac
        if ended && [ $code != 0 ]; then
            case $state in ?????d) ;; *) ${spared:-finish} failed - 'xl destroy failed' ;; esac
        fi
        over && finish $why $why 'xl destroy was given, the domain is still there'
        bound; nap
    done
}

do_destroy() {
    guard; phase destroying; firm=yes; spawn destroy "$domid"; wait_gone
    if [ $dying -gt 30 ]; then finish ok none 'it runs no more; Xen still frees its devices'; fi
    finish ok none
}

# ask VERB: xl waits until the guest acknowledges, so it runs beside; a guest without a driver for that gets the power
# button, once.
ask() {
    verb=$1 button=
    phase 'asking the guest'; spawn "$verb" "$domid"
}

asked() {
    ended || return
    if [ $code = 0 ]; then phase 'waiting for the guest'; return; fi
    [ -n "$button" ] && finish failed noGuestDriver 'no driver and no power button'
    grep -q 'PV control interface not available' "$fence/err" || finish failed -
    button=yes; phase 'pressing the power button'; spawn "$verb" -F "$domid"
}

ignored() {
    stop
    [ $why = cancelled ] && finish cancelled cancelled 'the guest was asked and may still do it'
    finish timedOut guestIgnored 'the guest was asked and did not do it in time'
}

do_shutdown() {
    guard; stopped && finish failed badState 'the domain has ended'
    ask shutdown
    while :; do
        if look; then
            # One that restarts instead is away for a moment, too.
            [ -n "$id" ] || { sleep 1; look && [ -z "$id" ] && finish ok none; }
            [ "${id:-$domid}" = "$domid" ] || finish failed driverError 'the guest started again instead'
            case $state in
            ???s-*) stop; finish ok none ;;
            ???sc*|???sw*) finish failed driverError 'the guest crashed on its way down' ;;
            esac
        fi
        asked; over && ignored
        bound; nap
    done
}

do_reboot() {
    guard; stopped && finish failed badState 'the domain has ended'
    ask reboot; lost=0
    while :; do
        if look; then
            if [ -z "$id" ]; then
                phase 'waiting for its return'; lost=$((lost + 1))
                [ $lost -gt 60 ] && finish failed driverError 'it went down and did not come back (on_reboot?)'
            elif [ "$id" != "$domid" ]; then
                phase 'starting again'
                case $state in ??p*) ;; *) stopped || finish ok none ;; esac
            else
                case $state in
                ???s-*) finish failed driverError 'the guest shut down instead' ;;
                ???sc*|???sw*) finish failed driverError 'the guest crashed instead' ;;
                esac
            fi
        fi
        [ -z "$id" ] || [ "$id" != "$domid" ] || asked
        if over; then
            [ "${id:-$domid}" = "$domid" ] || finish $why $why 'it is back but does not run'
            ignored
        fi
        bound; nap
    done
}

# devices: what is not connected in pending, what Xen gave up in broken
devices() {
    pending= broken=
    for class in vif vbd qdisk; do
        path=/local/domain/0/backend/$class/$id
        for dev in $(xenstore-list "$path" 2>/dev/null); do
            case $dev in *[!0-9]*) continue ;; esac
            [ "$(xenstore-read "$path/$dev/state" 2>/dev/null)" = 4 ] ||
                pending="$pending $class $dev"
            xenstore-read "/local/domain/0/error/backend/$class/$id/$dev/error" >/dev/null 2>&1 &&
                broken="$class $dev"
        done
    done
}

wait_devices() {
    phase 'connecting devices'; clock; until=$((now + 10))
    [ $until -gt $end ] && until=$end
    while :; do
        devices; clock
        case $broken in
        vif*) finish failed noNetwork "backend error: $broken" ;;
        ?*) finish failed noStorage "backend error: $broken" ;;
        esac
        [ -z "$pending" ] || [ $now -ge $until ] || [ -e "$fence/cancel" ] && return
        nap
    done
}

# begin [NOTE]: from the configuration to a running domain. xl create is never stopped half-way.
begin() {
    phase creating; spawn create -q "$config"
    until ended; do
        clock; [ $now -ge $end ] && finish timedOut timedOut 'xl create still runs there'
        bound; nap
    done
    [ $code = 0 ] || finish failed - "${1-}"
    look || { code=1; finish failed - 'xl list failed'; }
    [ -n "$id" ] || finish failed driverError 'the domain ended right after its start'
    stopped && finish failed driverError 'the domain stopped right after its start'
    wait_devices
    [ -z "$pending" ] || finish ok none "started; not connected yet:$pending"
    finish ok none
}

readable() { [ -r "$config" ] || finish failed badConfig 'the host can not read the configuration'; }
do_create() {
    uuid=$after name=$after_name; readable
    look || { code=1; finish failed - 'xl list failed'; }
    if [ -n "$id" ] && stopped; then
        finish failed badState 'what is left of it is still there: destroy that first'
    fi
    [ -z "$id" ] || finish failed badState 'the domain is there already'
    begin
}

# What could not be started again must not be ended first.
do_reset() {
    guard; readable; phase 'checking the configuration'
    spawn create -n -q "$config"; wait_xl
    [ $code = 0 ] || finish failed badConfig 'xl does not accept the configuration'
    phase destroying; firm=yes; spawn destroy "$domid"; wait_gone
    uuid=$after name=$after_name
    begin 'it was destroyed, and starting it again failed'
}

# alter PHASE XL-ARGUMENT...: runs xl, which must succeed, on the domain as it was asked for.
alter() {
    guard; stopped && finish failed badState 'the domain has ended'
    phase "$1"; shift
    spawn "$@"; wait_xl
    [ $code = 0 ] || finish failed -
}

# wait_guest FACT TOLERANCE: the guest itself takes and gives back.
wait_guest() {
    phase 'waiting for the guest'
    while look; do
        [ "$id" = "$domid" ] || finish failed noSuchTarget 'the domain ended or restarted meanwhile'
        case $1 in mem) has=$mem unit=MiB ;; *) has=$cpus unit=vCPUs ;; esac
        off=$((has - amount))
        [ ${off#-} -gt "$2" ] || finish ok none
        over && finish $why guestIgnored "the guest is at $has of $amount $unit"
        bound; nap
    done
    code=1; finish failed - 'xl list failed'
}

do_set_memory() {
    alter 'setting the memory' mem-set "$domid" "${amount}m"
    # Xen counts a few pages more or less than were asked for.
    wait_guest mem 4
}

do_set_vcpus() {
    alter 'setting the processors' vcpu-set "$domid" "$amount"
    wait_guest cpus 0
}

# do_schedule OPTION FACT; the last line ends with weight and cap
do_schedule() {
    scheduler=$(timeout -k 2 30 "$xl" info | sed -n 's/^xen_scheduler *: *//p')
    case $scheduler in credit|credit2) ;;
    *) finish failed notSupported "the scheduler ${scheduler:-is unknown, it} has no weight and cap" ;;
    esac
    alter "setting the $2" "sched-$scheduler" -d "$domid" "$1" "$amount"
    shown=$(timeout -k 2 30 "$xl" "sched-$scheduler" -d "$domid" |
        awk -v fact="$2" 'END { print fact == "weight" ? $(NF - 1) : $NF }')
    [ "$shown" = "$amount" ] || finish failed driverError "Xen shows ${shown:-nothing} instead"
    finish ok none
}

# Stopped half-way, xl would leave the guest paused; and dom0's disk must not run full.
do_dump_core() {
    guard; cores=${XENSNMP_DUMP:-/var/lib/xen/dump}; core=$cores/$op.core
    mkdir -p "$cores" || finish failed noStorage "the host can not make $cores"
    left=$(df -Pm "$cores" | awk 'END { print $4 }')
    [ "${left:-0}" -gt $((mem + mem / 10 + 64)) ] ||
        finish failed noStorage "$cores has ${left:-0} MiB left, the core takes $mem"
    firm=yes; phase 'writing the core'; umask 077; spawn dump-core "$domid" "$core"
    until ended; do
        over && finish timedOut timedOut 'xl dump-core still runs there'
        bound; nap
    done
    [ $code = 0 ] && [ -s "$core" ] || { rm -f "$core"; finish failed -; }
    finish ok none "$core"
}

do_nmi() { alter 'sending the NMI' trigger "$domid" nmi; finish ok none; }

# abort: as long as the destination has not said that it has all, killing the transport makes xl resume the domain
# here. Frozen first, so that this can't change between the look and the deed.
abort() {
    ended && return
    read -r pipe <"$fence/ssh.pid" && kill -STOP "$pipe" || return
    if grep -q -e 'Transfer complete' -e 'acknowledged transfer' "$fence/err"; then
        kill -CONT "$pipe"
    else kill -KILL "$pipe"; aborted=$why; fi
} 2>/dev/null

do_migrate() {
    guard; stopped && finish failed badState 'the domain has ended'
    phase 'connecting to the destination'; aborted= tried=
    printf 'echo $$ >"%s/ssh.pid"\nexec %s "$@"\n' "$fence" "$ssh" >"$fence/transport"
    spawn migrate -s "sh $fence/transport" "$domid" "$address"
    until ended; do
        if [ -z "$tried" ] && over; then abort; tried=$why; end=$((now + 60)); fi
        clock; [ -n "$tried" ] && [ $now -ge $end ] &&
            finish timedOut timedOut 'it is being handed over and can not be stopped'
        bound; nap
    done
    look || { code=1; finish lost lost 'xl list failed after the migration'; }
    if [ $code != 0 ]; then
        grep -q 'final handshake' "$fence/err" && finish lost lost 'the hand-over broke; look at both hosts'
        if [ -n "$aborted" ] && [ -n "$id" ]; then finish $aborted $aborted 'it runs on where it was'; fi
        [ -n "$id" ] || finish lost lost 'the domain is gone here'
        finish failed -
    fi
    [ -z "$id" ] || finish failed driverError 'xl reports success, but it is still here'
    phase 'looking at the destination'
    $ssh "$address" 'PATH=$PATH:/usr/sbin:/sbin LC_ALL=C xl list -v' </dev/null >"$fence/list" && find_row
    if [ -n "$id" ] && ! stopped; then finish ok none; fi
    finish lost lost 'xl reports success, but it was not seen on the destination'
}
