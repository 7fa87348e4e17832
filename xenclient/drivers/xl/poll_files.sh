# One grep prints "path:line" of every small file; cat would not say which line is whose.
cd /sys/bus/xen-backend/devices 2>/dev/null || cd /
s files; grep -s '' /dev/null /proc/loadavg /proc/sys/kernel/random/boot_id \
    /proc/net/dev vbd-*/statistics/[rw][dr]_[rs]e*
s paths; printf '%s\n' vif-*/net/* /sys/class/net/*/brif/* /sys/class/net/*/device
