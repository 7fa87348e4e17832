/* The shell command of one poll. Few processes: sh, xl list, xl info, xl vcpu-list, grep; xenstore-ls
 * only for domains that are new or due, stat for the configuration files, date now and then. */
#include "xenclient/drivers/xl_parse_private.h"

/* Polls between two looks at the memory target of every domain, and looks between two complete
 * readings of one domain's configuration. */
#define LIGHT_EVERY 6
#define FULL_EVERY  10

/* An argument of a program may have 131,071 octets, and the command is quoted once more. */
#define MAX_KNOWN 40000
#define MAX_DIRS  4096
#define MAX_STAMP 16000

#define DEFAULT_TIMEOUT_SEC 60

/* s writes a marker: a line of its own with the nonce, which no name and no file can know. */
static const char head_part[] = "export LC_ALL=C PATH=\"/usr/sbin:/usr/bin:/sbin:/bin:$PATH\"\n"
                                "s() { printf '\\n#%s %s\\n' \"$N\" \"$*\"; }\n";

/* Debian's /usr/sbin/xl is a script that finds the tools of the running version; without sudo its
 * work is done here, which spares two shells per poll. */
static const char tool_part[] =
    "x=xl; a=; b=\n"
    "if [ -z \"$X\" ] && [ -r /sys/hypervisor/version/minor ]; then\n"
    "  read -r a </sys/hypervisor/version/major; read -r b </sys/hypervisor/version/minor\n"
    "  [ ! -x \"/usr/lib/xen-$a.$b/bin/xl\" ] || x=/usr/lib/xen-$a.$b/bin/xl\n"
    "fi\n";

/* Save files are listed right behind the domains: one that went from the one place to the other is seen in one
 * of them. The control domain's uptime, read by the shell itself, is the clock of the counters; date tells
 * every now and then what that is in the world's time. */
static const char list_part[] = "l=$($X $x list -v </dev/null); r=$?\n"
                                "u=; read -r u y 2>/dev/null </proc/uptime\n"
                                "s list $r; printf '%s\\n' \"$l\"\n"
                                "[ $r = 0 ] || { s end; exit 0; }\n"
                                "[ -z \"$V\" ] || { o=$(timeout -k 1 5 $X ls -1 -- \"$V\" "
                                "2>/dev/null); s saves $?\n"
                                "printf '%s\\n' \"$o\" | grep '^[0-9a-f-]*[.].*[.]xensave' | "
                                "head -n 2000; }\n"
                                "s clock $u; [ -z \"$D\" ] || date +%s.%N\n"
                                "i=$($X $x info </dev/null); s info $?; printf '%s\\n' \"$i\"\n"
                                "s vcpus; $X $x vcpu-list </dev/null 2>/dev/null\n";

/* One grep prints "path:line" of every small file; cat would not say which line is whose. */
static const char files_part[] =
    "cd /sys/bus/xen-backend/devices 2>/dev/null || cd /\n"
    "s files; grep -s '' /dev/null /proc/loadavg /proc/sys/kernel/random/boot_id"
    " /proc/net/dev vbd-*/statistics/[rw][dr]_[rs]e*\n"
    "s paths; printf '%s\\n' vif-*/net/* /sys/class/net/*/brif/* /sys/class/net/*/device\n";

static const char once_part[] = "s once; grep -s '' /dev/null /etc/os-release\n"
                                "grep -s -m 1 '^model name' /dev/null /proc/cpuinfo\n";

/* Words of a row counted from the right: id mem vcpus state time uuid reason label. A domain in K
 * is known, one that is in M too is asked for its memory only. xenstore-ls ends at a path that is
 * gone; then each domain is asked alone, so that a dying one spoils nobody else's answer. */
static const char store_part[] =
    "a=; b=; set -f; IFS='\n'; set -- $l; unset IFS\n"
    "for x do\n"
    "  set -- $x; [ $# -ge 8 ] || continue; shift $(($# - 8))\n"
    "  case $1 in ''|0|*[!0-9]*) continue;; esac\n"
    "  case $4 in ?????d) continue;; esac\n"
    "  case $6 in *[!0-9a-f-]*) continue;; esac\n"
    "  m=/local/domain/$1/memory\n"
    "  case $K in\n"
    "  *\" $1:${6##*-} \"*) case $M in *\" $1 \"*) a=\"$a $m\"; b=\"$b $m\";; esac;;\n"
    "  *) c=/local/domain/$1/cpu\n"
    "    a=\"$a /libxl/$1 $m $c /vm/$6\"; b=\"$b /libxl/$1,$m,$c,/vm/$6\";;\n"
    "  esac\n"
    "done\n"
    "s store\n"
    "if [ -n \"$a\" ] && ! $X xenstore-ls -f $a 2>/dev/null; then\n"
    "  for x in $b; do IFS=,; set -- $x; unset IFS\n"
    "  $X xenstore-ls -f \"$@\" 2>/dev/null; done\n"
    "fi\n"
    "set +f\n";

/* Contents are sent only when the size, inode, change time or name of any file is new: then the list
 * of these (of many files its checksum) comes as the stamp, and back in the next script as T. grep
 * puts its path before every line, so no content can look like another file; lines of our own
 * begin with a colon. */
static const char configs_part[] =
    "t=$c; if [ ${#c} -gt 16000 ]; then t=many; fi; case $c in *\\'*) t=many;; esac\n"
    "[ \"$t\" != many ] || t=$(printf '%s\\n' \"$c\" | cksum)\n"
    "if [ \"$t\" != \"$T\" ]; then\n"
    "  s stamp; printf '%s\\n' \"$t\"; s configs\n"
    "  n=0; set -f; IFS='\n'; set -- $c; unset IFS; set +f\n"
    "  for x do\n"
    "    [ $n != 0 ] || set --\n"
    "    z=${x%% *}; p=/${x#*/}; n=$((n + 1))\n"
    "    case $z in ''|*[!0-9]*) continue;; esac\n"
    "    if [ $n -gt 2000 ]; then echo :many; break; fi\n"
    "    [ -f \"$p\" ] || continue\n"
    "    case $p in *:*) printf ':colon %s\\n' \"$p\"; continue;; esac\n"
    "    if [ $z -gt 65536 ]; then printf ':big %s\\n' \"$p\"; continue; fi\n"
    "    if ! [ -r \"$p\" ]; then printf ':unreadable %s\\n' \"$p\"; continue; fi\n"
    "    set -- \"$@\" \"$p\"\n"
    "    if [ $# = 100 ]; then grep -s '' /dev/null \"$@\" 2>&1; set --; fi\n"
    "  done\n"
    "  if [ $n != 0 ] && [ $# != 0 ]; then grep -s '' /dev/null \"$@\" 2>&1; fi\n"
    "fi\n";

static void assign(GString *script, const char *name, const char *value)
{
    g_autofree char *quoted = g_shell_quote(value);

    g_string_append_printf(script, "%s=%s\n", name, quoted);
}

static bool is_due(const struct xl_memory *memory, const struct xl_facts *facts)
{
    uint64_t look = memory->polls / LIGHT_EVERY;

    return facts->owed ||
           (memory->polls % LIGHT_EVERY == 0 && (look + (uint64_t)facts->domid) % FULL_EVERY == 0);
}

/* K: " domid:last-12-of-uuid ..." that need no complete reading; M: " domid ..." of those to be
 * asked for their memory. A domain that does not fit is simply asked again. */
static void assign_known(GString *script, const struct xl_memory *memory)
{
    g_autoptr(GString) known = g_string_new(" ");
    g_autoptr(GString) light = g_string_new(" ");
    GHashTableIter iter;
    void *data;

    g_hash_table_iter_init(&iter, memory->facts);
    while (g_hash_table_iter_next(&iter, NULL, &data) && known->len < MAX_KNOWN) {
        const struct xl_facts *facts = data;
        char uuid[XC_UUID_TEXT];

        if (is_due(memory, facts))
            continue;
        xc_uuid_format(&facts->uuid, uuid);
        g_string_append_printf(known, "%" G_GINT64_FORMAT ":%s ", facts->domid, uuid + 24);
        if (facts->read_at && (facts->resized || memory->polls % LIGHT_EVERY == 0))
            g_string_append_printf(light, "%" G_GINT64_FORMAT " ", facts->domid);
    }
    assign(script, "K", known->str);
    assign(script, "M", light->str);
}

/* stat -L: a link to a regular file is as good as the file. */
static void append_configs(GString *script, const char *dirs, const struct xl_memory *memory)
{
    g_autofree char *bounded = g_strndup(dirs, MAX_DIRS);
    g_auto(GStrv) list = g_strsplit(bounded, ":", 64);
    g_autoptr(GString) patterns = g_string_new(NULL);
    const char *stamp = memory->configs_stamp;

    for (char **dir = list; *dir; dir++) {
        g_autofree char *quoted = g_shell_quote(*dir);

        if ((*dir)[0] == '/' && !strchr(*dir, '\n'))
            g_string_append_printf(patterns, " %s/*.cfg", quoted);
    }
    if (patterns->len == 0)
        return;
    if (!stamp || strlen(stamp) > MAX_STAMP || strchr(stamp, '\''))
        stamp = "none";
    assign(script, "T", stamp);
    g_string_append_printf(script, "c=$(stat -L -c '%%s %%i %%Z %%n' --%s 2>/dev/null)\n",
                           patterns->str);
    g_string_append(script, configs_part);
}

static const char *save_dir_of(const struct xl_poll_options *options)
{
    const char *dir = options->save_dir;

    return dir && *dir == '/' && strlen(dir) <= MAX_DIRS ? dir : "";
}

char *xl_poll_script(const struct xl_poll_options *options, const struct xl_memory *memory)
{
    g_autoptr(GString) script = g_string_new(head_part);
    g_autofree char *quoted = NULL;
    unsigned timeout = options->timeout_sec ? options->timeout_sec : DEFAULT_TIMEOUT_SEC;

    assign(script, "N", options->nonce);
    assign(script, "X", options->prefix);
    assign(script, "D", memory->boot_time && memory->polls % LIGHT_EVERY != 0 ? "" : "date");
    assign(script, "V", save_dir_of(options));
    assign_known(script, memory);
    g_string_append(script, tool_part);
    g_string_append(script, list_part);
    g_string_append(script, files_part);
    if (!memory->once_done)
        g_string_append(script, once_part);
    g_string_append(script, store_part);
    if (options->with_configs && options->config_dirs)
        append_configs(script, options->config_dirs, memory);
    g_string_append(script, "s end\n");
    quoted = g_shell_quote(script->str);
    return g_strdup_printf("exec timeout -k 5 %u /bin/sh -c %s", timeout, quoted);
}
