#!/usr/bin/env bash
# layers.sh: who may include whom. Knowledge points down only (ARCHITECTURE.md has the drawing).
. tests/lint/lib

# folder | what its files may include, as patterns; a folder may always include itself
layers='
xenclient/util      |
xenclient/model     | xenclient/util
xenclient/transport | xenclient/util
xenclient/drivers   | xenclient/util xenclient/model xenclient/transport
xenclient/store     | xenclient/util xenclient/model
xenclient/worker    | xenclient/util xenclient/model xenclient/transport xenclient/drivers
xenclient/engine    | xenclient/util xenclient/model xenclient/transport xenclient/drivers xenclient/store xenclient/worker
mibs                |
snmpclient          | xenclient/util xenclient/model
subagent            | xenclient mibs
tools/xen-farm      | xenclient
tools/xapi-farm     | xenclient
tools/xenctl        | snmpclient xenclient
plugins             | snmpclient xenclient
'
# what the build makes, found by -I$(BUILD)/gen
generated='*.sql.h *.sh.h *.bash.h xen_mib.def xapi_classes.h'
# library header | the only folders that may know it; tests may know all
libraries='
net-snmp  | subagent snmpclient
libssh2   | xenclient/transport
curl      | xenclient/transport
libxml    | xenclient/transport
openssl   | xenclient/transport
sqlite3   | xenclient/store
microhttpd | tools/xapi-farm
'

# Every include: FILE:LINE "header" or <header>
includes=$(c_files | xargs grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null |
    sed -E 's/^([^:]*:[0-9]+):[^<"]*([<"][^>"]*[>"]).*/\1 \2/')

has_layer() {
    local folder
    while read -r folder _; do
        [[ -n $folder && $1 == "$folder"/* ]] && return
    done <<<"$layers"
    return 1
}

is_generated() {
    local pattern
    for pattern in $generated; do
        # shellcheck disable=SC2053 # a pattern is meant
        [[ $1 == $pattern ]] && return
    done
    return 1
}

strays() {
    local where header
    while read -r where header; do
        [[ $header == \"* ]] || continue
        header=${header//\"/}
        [[ $where == tests/* ]] || is_generated "$header" && continue
        [ -e "$header" ] || echo "$where includes \"$header\": name it by its path from the top"
    done <<<"$includes"
}

upward() {
    local line folder may file header target
    while read -r folder _ may; do
        [ -n "$folder" ] || continue
        grep "^$folder/" <<<"$includes" | while read -r line header; do
            [[ $header == \"* ]] || continue
            target=${header//\"/}
            [[ $target == "$folder"/* ]] || is_generated "$target" && continue
            for file in $may; do
                [[ $target == "$file" || $target == "$file"/* ]] && continue 2
            done
            echo "$line includes $target: $folder may not know it"
        done
    done <<<"$layers"
}

homeless() {
    local file
    c_files | grep -v '^tests/' | while read -r file; do
        [[ $file == xenclient/xenclient.h ]] && continue
        has_layer "$file" || echo "$file belongs to no layer listed in tests/lint/layers.sh"
    done
}

guests() {
    local library may where header folder
    while read -r library _ may; do
        [ -n "$library" ] || continue
        grep "<$library" <<<"$includes" | while read -r where header; do
            for folder in $may tests; do
                [[ $where == "$folder"/* ]] && continue 2
            done
            echo "$where includes $header: only $may may"
        done
    done <<<"$libraries"
}

strays | report "includes name files by their path from the top"
upward | report "includes point down only"
homeless | report "every source file belongs to a layer"
guests | report "each foreign library is known in its own folder only"
finish
