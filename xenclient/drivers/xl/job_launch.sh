# Starts $job detached, waits for its fence, reports.

# Nothing began and nothing will: a result, not a loss.
refuse() {
    printf 'boot -\nstate done\nstatus failed driverError 9\nnote %s\n--\n' "$1"
    exit 0
}
[ -d "$run" ] || mkdir -p "$run" || refuse "the host can not make $run"
new=$run/new.$op.$$

# Half a configuration, after a lost connection, is none.
if [ -n "$size" ]; then
    cat >"$new" || { rm -f "$new"; refuse "the host can not write in $run"; }
    [ "$(wc -c <"$new")" -eq "$size" ] || { rm -f "$new"; exit 9; }
fi
if take_fence; then
    [ -z "$size" ] || mv "$new" "$fence/config"
    setsid sh -c "$job" </dev/null >>"$fence/out" 2>>"$fence/err" &
elif [ -n "$size" ]; then rm -f "$new"; fi
report
