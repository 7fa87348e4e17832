# What has begun is asked to end.
[ ! -d "$fence" ] || [ -e "$fence/status" ] || : >"$fence/cancel"
