# Words of a row counted from the right: id mem vcpus state time uuid reason label. A domain in K is known, one that
# is in M too is asked for its memory only. xenstore-ls ends at a path that is gone; then each domain is asked alone,
# so that a dying one spoils nobody else's answer.
a=; b=; set -f; IFS='
'; set -- $l; unset IFS
for x do
  set -- $x; [ $# -ge 8 ] || continue; shift $(($# - 8))
  case $1 in ''|0|*[!0-9]*) continue;; esac
  case $4 in ?????d) continue;; esac
  case $6 in *[!0-9a-f-]*) continue;; esac
  m=/local/domain/$1/memory
  case $K in
  *" $1:${6##*-} "*) case $M in *" $1 "*) a="$a $m"; b="$b $m";; esac;;
  *) c=/local/domain/$1/cpu
    a="$a /libxl/$1 $m $c /vm/$6"; b="$b /libxl/$1,$m,$c,/vm/$6";;
  esac
done
s store
if [ -n "$a" ] && ! $X xenstore-ls -f $a 2>/dev/null; then
  for x in $b; do IFS=,; set -- $x; unset IFS
  $X xenstore-ls -f "$@" 2>/dev/null; done
fi
set +f
