# Debian's /usr/sbin/xl is a script that finds the tools of the running version; without sudo its work is done here,
# which spares two shells per poll.
x=xl; a=; b=
if [ -z "$X" ] && [ -r /sys/hypervisor/version/minor ]; then
  read -r a </sys/hypervisor/version/major; read -r b </sys/hypervisor/version/minor
  [ ! -x "/usr/lib/xen-$a.$b/bin/xl" ] || x=/usr/lib/xen-$a.$b/bin/xl
fi
