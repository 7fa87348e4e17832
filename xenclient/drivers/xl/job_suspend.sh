# A domain lives in memory or in one whole save file, and whatever breaks off leaves one of the two:
# - xl save leaves it paused; only when the file is on disk under its own name is it ended, else it goes on.
# - The file is renamed before it is restored, so of two that try one succeeds, on whatever host. xl restore leaves the
#   domain paused, too, and it goes on only after the file is gone: an image whose guest has run since would ruin its
#   disks.

# What is restored here is run: nobody else may have put it there.
vault() {
    [ -d "$save_dir/" ] ||
        finish failed noStorage "the host has no directory $save_dir: make it, writable for root alone"
    [ -z "$(find "$save_dir/" -maxdepth 0 -perm /022)" ] ||
        finish failed policy "others may write in $save_dir: chmod go-w"
}

saves() { find "$save_dir/" -maxdepth 1 -type f -name "$uuid.*.$1"; }

# abandon: a save that nobody reads any more fails, and xl lets the domain go on.
abandon() { read -r victim <"$fence/dd.pid" && kill "$victim"; } 2>/dev/null

# go_on RESULT CAUSE [NOTE]: the file is none, the domain goes on; tells what became of it.
go_on() {
    abandon; forget
    look || finish lost lost "${3:+$3; }xl list failed"
    case $was$id/$state in "$domid"/??p*) "$xl" unpause "$domid" </dev/null; look ;; esac
    [ "$id" = "$domid" ] || finish lost lost "${3:+$3; }the domain is gone"
    stopped && finish failed driverError "${3:+$3; }xl did not let it go on, it can only be destroyed"
    finish "$1" "$2" "${3:+$3; }it goes on as before"
}

begin_save() {
    mkfifo -m 600 "$fence/pipe" || finish failed noStorage "the host can not write in $run"
    trap '' PIPE
    { (umask 077; exec dd bs=1M conv=fsync status=none of="$part" <"$fence/pipe") &
      echo $! >"$fence/dd.pid"; wait $!; echo $? >"$fence/dd.rc"; } &
    spawn save -p "$domid" "$fence/pipe"
}

follow_save() {
    aborted=
    until ended; do
        if [ -z "$aborted" ] && over; then abandon; aborted=$why; clock; end=$((now + 60)); fi
        clock; [ -n "$aborted" ] && [ $now -ge $end ] && forget &&
            finish timedOut timedOut 'xl save still runs there'
        bound; nap
    done
    [ -z "$aborted" ] || go_on "$aborted" "$aborted"
    [ $code = 0 ] || go_on failed -
    until [ -s "$fence/dd.rc" ]; do over && go_on $why $why; nap; done
    read -r wrote <"$fence/dd.rc"
    [ "$wrote" = 0 ] && [ -s "$part" ] ||
        go_on failed noStorage "the save file could not be written in $save_dir"
}

do_suspend() {
    guard; stopped && finish failed badState 'the domain has ended'
    vault; was=; case $state in ??p*) was=paused ;; esac
    part=$save_dir/$uuid.$op.saving file=$uuid.$label.xensave
    left=$(df -Pm "$save_dir/" | awk 'END { print $4 }')
    [ "${left:-0}" -gt $((mem + mem / 50 + 64)) ] ||
        finish failed noStorage "$save_dir has ${left:-0} MiB left, the domain takes $mem"
    phase saving; begin_save; follow_save
    look && case $id/$state in "$domid"/??p*) ;; *) false ;; esac ||
        go_on failed driverError 'xl save did not leave it paused'
    over && go_on $why $why
    mv -f "$part" "$save_dir/$file" && sync "$save_dir/" ||
        go_on failed noStorage "the save file could not be kept in $save_dir"
    forget "$file"; firm=yes spared=go_on
    phase 'ending it'; spawn destroy "$domid"; wait_gone
    finish ok none "$save_dir/$file"
}

# give_back RESULT CAUSE [NOTE]: what is half restored has not run and is ended; then the file is a save file again. A
# domain that is not paused is none of ours.
give_back() {
    tries=0
    while look && [ -n "$id" ] && [ $tries -lt 40 ]; do
        case $state in ??p??[-]) timeout -k 2 60 "$xl" destroy "$id" </dev/null ;; esac
        tries=$((tries + 1)); sleep 0.5
    done
    if look && [ -z "$id" ] && mv "$saved.resuming" "$saved"; then
        finish "$1" "$2" "${3:+$3; }it is suspended as before"
    fi
    finish "$1" "$2" "${3:+$3; }what became of it is not known, its save file is $saved.resuming"
}

find_saved() {
    look || { code=1; finish failed - 'xl list failed'; }
    [ -z "$id" ] || finish failed badState 'the domain is there already'
    [ -z "$(saves xensave.resuming)" ] ||
        finish failed badState "a resume of it was cut off: see to its file in $save_dir"
    saved=$(saves xensave)
    [ -n "$saved" ] || finish failed noStorage "it has no save file in $save_dir"
    [ "$(saves xensave | wc -l)" = 1 ] || finish failed ambiguous "it has several save files in $save_dir"
}

follow_restore() {
    aborted=
    until ended; do
        if [ -z "$aborted" ] && over; then stop; aborted=$why; clock; end=$((now + 60)); fi
        clock; [ -n "$aborted" ] && [ $now -ge $end ] &&
            finish timedOut timedOut "xl restore still runs there, of $saved.resuming"
        bound; nap
    done
    [ -z "$aborted" ] || give_back "$aborted" "$aborted"
    [ $code = 0 ] || give_back failed -
    look && case $id/$state in [0-9]*/??p-*) ;; *) false ;; esac ||
        give_back failed driverError 'the domain ended right after it was restored'
    over && give_back $why $why
}

do_resume() {
    vault; find_saved
    mv "$saved" "$saved.resuming" ||
        finish failed noStorage 'its save file went away meanwhile: another host may resume it'
    phase restoring; spawn restore -p "$saved.resuming"; follow_restore
    rm -f "$saved.resuming" && sync "$save_dir/" ||
        give_back failed noStorage 'the save file could not be removed'
    domid=$id; phase unpausing; "$xl" unpause "$domid" </dev/null
    look && case $id/$state in "$domid"/??[-]*) ;; *) false ;; esac ||
        finish failed driverError 'it is restored and its save file removed, but it is still paused'
    wait_devices
    [ -z "$pending" ] || finish ok none "resumed; not connected yet:$pending"
    finish ok none
}
