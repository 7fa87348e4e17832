# What has not begun never will.
[ -d "$run" ] || mkdir -p "$run"
take_fence && settle 'cancelled cancelled 0' 'it did not begin'
