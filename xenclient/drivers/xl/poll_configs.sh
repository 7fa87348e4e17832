# Contents are sent only when the size, inode, change time or name of any file is new: then the list of these (of many
# files its checksum) comes as the stamp, and back in the next script as T. grep puts its path before every line, so
# no content can look like another file; lines of our own begin with a colon.
t=$c; if [ ${#c} -gt 16000 ]; then t=many; fi; case $c in *\'*) t=many;; esac
[ "$t" != many ] || t=$(printf '%s\n' "$c" | cksum)
if [ "$t" != "$T" ]; then
  s stamp; printf '%s\n' "$t"; s configs
  n=0; set -f; IFS='
'; set -- $c; unset IFS; set +f
  for x do
    [ $n != 0 ] || set --
    z=${x%% *}; p=/${x#*/}; n=$((n + 1))
    case $z in ''|*[!0-9]*) continue;; esac
    if [ $n -gt 2000 ]; then echo :many; break; fi
    [ -f "$p" ] || continue
    case $p in *:*) printf ':colon %s\n' "$p"; continue;; esac
    if [ $z -gt 65536 ]; then printf ':big %s\n' "$p"; continue; fi
    if ! [ -r "$p" ]; then printf ':unreadable %s\n' "$p"; continue; fi
    set -- "$@" "$p"
    if [ $# = 100 ]; then grep -s '' /dev/null "$@" 2>&1; set --; fi
  done
  if [ $n != 0 ] && [ $# != 0 ]; then grep -s '' /dev/null "$@" 2>&1; fi
fi
