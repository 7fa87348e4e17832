/* The shell command of one poll. */
#include "xenclient/drivers/xl_parse_private.h"

#include "poll_configs.sh.h"
#include "poll_files.sh.h"
#include "poll_head.sh.h"
#include "poll_list.sh.h"
#include "poll_once.sh.h"
#include "poll_store.sh.h"
#include "poll_tool.sh.h"
#include "xenclient/drivers/xl_shell.h"

/* Polls between two looks at the memory target of every domain, and looks between two complete
 * readings of one domain's configuration. */
#define LIGHT_EVERY 6
#define FULL_EVERY  10

/* An argument of a program may have 131,071 octets, and the command is quoted once more. */
#define MAX_KNOWN 40000
#define MAX_DIRS  4096
#define MAX_STAMP 16000

#define DEFAULT_TIMEOUT_SEC 60

static bool is_due(const struct xl_memory *memory, const struct xl_facts *facts)
{
    uint64_t look = memory->polls / LIGHT_EVERY;

    return facts->owed ||
           (memory->polls % LIGHT_EVERY == 0 && (look + (uint64_t)facts->domid) % FULL_EVERY == 0);
}

/* A domain that does not fit is simply asked again. */
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
    xl_assign(script, "K", known->str);
    xl_assign(script, "M", light->str);
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
    xl_assign(script, "T", stamp);
    g_string_append_printf(script, "c=$(stat -L -c '%%s %%i %%Z %%n' --%s 2>/dev/null)\n",
                           patterns->str);
    g_string_append(script, poll_configs_sh);
}

static const char *save_dir_of(const struct xl_poll_options *options)
{
    const char *dir = options->save_dir;

    return dir && *dir == '/' && strlen(dir) <= MAX_DIRS ? dir : "";
}

char *xl_poll_script(const struct xl_poll_options *options, const struct xl_memory *memory)
{
    g_autoptr(GString) script = g_string_new(poll_head_sh);
    g_autofree char *quoted = NULL;
    unsigned timeout = options->timeout_sec ? options->timeout_sec : DEFAULT_TIMEOUT_SEC;

    xl_assign(script, "N", options->nonce);
    xl_assign(script, "X", options->prefix);
    xl_assign(script, "D", memory->boot_time && memory->polls % LIGHT_EVERY != 0 ? "" : "date");
    xl_assign(script, "V", save_dir_of(options));
    assign_known(script, memory);
    g_string_append(script, poll_tool_sh);
    g_string_append(script, poll_list_sh);
    g_string_append(script, poll_files_sh);
    if (!memory->once_done)
        g_string_append(script, poll_once_sh);
    g_string_append(script, poll_store_sh);
    if (options->with_configs && options->config_dirs)
        append_configs(script, options->config_dirs, memory);
    g_string_append(script, "s end\n");
    quoted = g_shell_quote(script->str);
    return g_strdup_printf("exec timeout -k 5 %u /bin/sh -c %s", timeout, quoted);
}
