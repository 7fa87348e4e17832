/* Guests as their configuration files describe them. */
#include "xenclient/drivers/xl_parse_private.h"
#include "xenclient/drivers/xlcfg.h"

#include "xenclient/util/text.h"

#define MAX_CONFIGS 2000
#define MAX_VCPUS   4096

/* What one pass over the files needs. */
struct pass {
    GPtrArray *configs;  /* struct xl_config * */
    GHashTable *by_uuid; /* of struct xl_config *; its uuid is the key */
    GHashTable *by_name; /* name -> struct xl_config *, the first of that name */
    GHashTable *paths;   /* set of paths seen */
    GPtrArray *warnings; /* may be NULL */
};

void xl_config_free(void *data)
{
    struct xl_config *config = data;

    g_free(config->path);
    g_free(config->name);
    g_free(config);
}

static void warn(struct pass *pass, const char *path, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void warn(struct pass *pass, const char *path, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    if (!pass->warnings)
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_ptr_array_add(pass->warnings, g_strdup_printf("%s: %s", path, text));
}

/* type= as xl knows it; without it an x86 guest is PV. builder= is the word of older files. */
static enum xc_virt virt_of(const struct xlcfg *file)
{
    static const struct {
        const char *key;
        const char *value;
        enum xc_virt virt;
    } table[] = {
        {"type", "hvm", XC_VIRT_HVM},       {"type", "pvh", XC_VIRT_PVH},
        {"type", "pv", XC_VIRT_PV},         {"builder", "hvm", XC_VIRT_HVM},
        {"builder", "generic", XC_VIRT_PV},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (g_strcmp0(xlcfg_string(file, table[i].key), table[i].value) == 0)
            return table[i].virt;
    return xlcfg_lookup(file, "type") ? XC_VIRT_UNKNOWN : XC_VIRT_PV;
}

static uint64_t number_of(const struct xlcfg *file, const char *key, int64_t max)
{
    int64_t value = 0;

    return xlcfg_integer(file, key, 1, max, &value, NULL) ? (uint64_t)value : 0;
}

static void take_sizes(const struct xlcfg *file, struct xl_config *config)
{
    uint64_t memory = number_of(file, "memory", (int64_t)XL_MAX_MIB);
    uint64_t most = number_of(file, "maxmem", (int64_t)XL_MAX_MIB);

    config->vcpus = MAX(number_of(file, "vcpus", MAX_VCPUS), 1);
    config->vcpus_max = MAX(number_of(file, "maxvcpus", MAX_VCPUS), config->vcpus);
    config->mem_kib = (memory ? memory : most) * XL_KIB_PER_MIB;
    config->mem_max_kib = (most ? most : memory) * XL_KIB_PER_MIB;
}

/* NULL, with a warning, when the file describes no guest. */
static struct xl_config *parse_file(struct pass *pass, const char *path, const GString *content)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(xlcfg) file = xlcfg_parse(content->str, content->len, NULL, &error);
    const char *name = file ? xlcfg_string(file, "name") : NULL;
    const char *uuid_text = file ? xlcfg_string(file, "uuid") : NULL;
    struct xc_uuid uuid = {{0}};
    struct xl_config *config;

    if (!file) {
        warn(pass, path, "%s", error->message);
        return NULL;
    }
    if (!name || !*name) {
        warn(pass, path, "no name = \"...\", so this is no guest");
        return NULL;
    }
    if (uuid_text && (!xc_uuid_parse(uuid_text, &uuid) || xc_uuid_is_nil(&uuid))) {
        warn(pass, path, "line %u: uuid is no UUID", xlcfg_lookup(file, "uuid")->line);
        return NULL;
    }
    config = g_new0(struct xl_config, 1);
    config->path = g_strdup(path);
    config->name = xc_text_clean(name, strlen(name), XC_TEXT_MAX);
    config->has_uuid = uuid_text != NULL;
    config->uuid = uuid;
    config->virt = virt_of(file);
    take_sizes(file, config);
    return config;
}

/* The file that has the guest already: that of the same uuid, or, when one of the two has no
 * uuid, that of the same name. */
static const struct xl_config *rival(const struct pass *pass, const struct xl_config *config)
{
    if (config->has_uuid)
        return g_hash_table_lookup(pass->by_uuid, &config->uuid);
    return g_hash_table_lookup(pass->by_name, config->name);
}

static void add(struct pass *pass, struct xl_config *config)
{
    const struct xl_config *other = rival(pass, config);

    if (other) {
        warn(pass, config->path, "describes the same guest as %s, which counts", other->path);
        xl_config_free(config);
        return;
    }
    g_ptr_array_add(pass->configs, config);
    if (!g_hash_table_contains(pass->by_name, config->name))
        g_hash_table_insert(pass->by_name, config->name, config);
    if (config->has_uuid)
        g_hash_table_insert(pass->by_uuid, &config->uuid, config);
}

static void finish_file(struct pass *pass, const char *path, const GString *content)
{
    struct xl_config *config;

    if (!path || !g_hash_table_add(pass->paths, g_strdup(path)))
        return;
    if (pass->configs->len >= MAX_CONFIGS) {
        warn(pass, path, "left out, there are more than %d configuration files", MAX_CONFIGS);
        return;
    }
    config = parse_file(pass, path, content);
    if (config)
        add(pass, config);
}

/* ":word path", written by the poll script itself, and what grep says instead of a content. */
static void take_note(struct pass *pass, const char *line)
{
    static const struct {
        const char *word;
        const char *text;
    } table[] = {
        {":big ", "left out, it is longer than 65,536 octets"},
        {":unreadable ", "left out, the user of this source may not read it"},
        {":colon ", "left out, there is a colon in its name"},
        {":many", "further files are left out, there are more than 2,000"},
    };
    const char *rest = line;

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        if (xl_take_prefix(&rest, table[i].word)) {
            g_autofree char *path = xc_text_clean(rest, strlen(rest), XC_TEXT_MAX);

            warn(pass, *path ? path : "configuration files", "%s", table[i].text);
            return;
        }
    if (*line) {
        g_autofree char *text = xc_text_clean(line, strlen(line), XC_TEXT_MAX);

        warn(pass, "configuration files", "%s: %s",
             strstr(line, "inary file") ? "left out one with binary data" : "not understood", text);
    }
}

void xl_configs_parse(struct xl_memory *memory, struct xl_lines lines, GPtrArray *warnings)
{
    struct pass pass = {
        .configs = g_ptr_array_new_with_free_func(xl_config_free),
        .by_uuid = g_hash_table_new(xc_uuid_hash, xc_uuid_equal),
        .by_name = g_hash_table_new(g_str_hash, g_str_equal),
        .paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .warnings = warnings,
    };
    g_autoptr(GString) content = g_string_new(NULL);
    const char *path = NULL;
    char *line;

    while ((line = xl_next_line(&lines))) {
        char *colon = line[0] == '/' ? strchr(line, ':') : NULL;

        if (!colon) {
            take_note(&pass, line);
            continue;
        }
        *colon = 0;
        if (!path || strcmp(path, line) != 0) {
            finish_file(&pass, path, content);
            g_string_truncate(content, 0);
            path = line;
        }
        if (content->len <= XLCFG_MAX_OCTETS) {
            g_string_append(content, colon + 1);
            g_string_append_c(content, '\n');
        }
    }
    finish_file(&pass, path, content);
    g_ptr_array_unref(memory->configs);
    memory->configs = pass.configs;
    g_hash_table_unref(pass.by_uuid);
    g_hash_table_unref(pass.by_name);
    g_hash_table_unref(pass.paths);
}
