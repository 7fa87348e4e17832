# Save files are listed right behind the domains: one that went from the one place to the other is seen in one of
# them. The control domain's uptime, read by the shell itself, is the clock of the counters; date tells every now and
# then what that is in the world's time.
l=$($X $x list -v </dev/null); r=$?
u=; read -r u y 2>/dev/null </proc/uptime
s list $r; printf '%s\n' "$l"
[ $r = 0 ] || { s end; exit 0; }
[ -z "$V" ] || { o=$(timeout -k 1 5 $X ls -1 -- "$V" 2>/dev/null); s saves $?
printf '%s\n' "$o" | grep '^[0-9a-f-]*[.].*[.]xensave' | head -n 2000; }
s clock $u; [ -z "$D" ] || date +%s.%N
i=$($X $x info </dev/null); s info $?; printf '%s\n' "$i"
s vcpus; $X $x vcpu-list </dev/null 2>/dev/null
