# A poll is few processes: sh, xl list, xl info, xl vcpu-list, grep; xenstore-ls only for domains that are new or due,
# stat for the configuration files, date now and then. It is given, in variables:
# N  the nonce of the markers          X  sudo, or nothing
# D  empty: the date is not needed     V  the directory of save files, or nothing
# K  " domid:last-12-of-uuid ..." of domains that need no complete reading
# M  " domid ..." of those of them that are to be asked for their memory
# T  the stamp of the configuration files as they were read last; c what stat says of them now

# s writes a marker: a line of its own with the nonce, which no name and no file can know.
export LC_ALL=C PATH="/usr/sbin:/usr/bin:/sbin:/bin:$PATH"
s() { printf '\n#%s %s\n' "$N" "$*"; }
