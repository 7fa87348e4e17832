/* What `xenstore-ls -f` tells of living domains. Only paths that the toolstack writes are believed;
 * a guest can write in its own part of the store. */
#include "xenclient/drivers/xl_parse_private.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

#define MAX_VCPUS   4096
#define MAX_DEVICES 512

static void clear_vif(void *data)
{
    struct xl_vif *vif = data;

    g_free(vif->mac);
    g_free(vif->bridge);
    g_free(vif->backend);
}

static void clear_vbd(void *data)
{
    struct xl_vbd *vbd = data;

    g_free(vbd->device);
    g_free(vbd->target);
}

struct xl_facts *xl_facts_new(int64_t domid, const struct xc_uuid *uuid)
{
    struct xl_facts *facts = g_new0(struct xl_facts, 1);

    facts->domid = domid;
    facts->uuid = *uuid;
    facts->virt = XC_VIRT_UNKNOWN;
    facts->vifs = g_array_new(FALSE, TRUE, sizeof(struct xl_vif));
    facts->vbds = g_array_new(FALSE, TRUE, sizeof(struct xl_vbd));
    g_array_set_clear_func(facts->vifs, clear_vif);
    g_array_set_clear_func(facts->vbds, clear_vbd);
    return facts;
}

void xl_facts_free(void *data)
{
    struct xl_facts *facts = data;

    g_array_unref(facts->vifs);
    g_array_unref(facts->vbds);
    g_free(facts);
}

/* \n, \t, \r, \\, \xHH, \ooo in place, as xenstore-ls writes them. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *p = text; *p; p++) {
        if (*p != '\\' || !p[1]) {
            *to++ = *p;
            continue;
        }
        p++;
        if (*p == 'x' && g_ascii_isxdigit(p[1]) && g_ascii_isxdigit(p[2])) {
            *to++ = (char)(g_ascii_xdigit_value(p[1]) * 16 + g_ascii_xdigit_value(p[2]));
            p += 2;
        } else if (*p >= '0' && *p <= '7') {
            *to++ = '?'; /* only control characters are written so */
            while (p[1] >= '0' && p[1] <= '7')
                p++;
        } else {
            *to++ = *p == 'n' ? '\n' : *p == 't' ? '\t' : *p == 'r' ? '\r' : *p;
        }
    }
    *to = 0;
}

static void set_text(char **to, const char *value)
{
    g_free(*to);
    *to = xc_text_clean(value, strlen(value), XC_TEXT_MAX);
}

/* The element with that number, appended if need be; NULL when there are too many. Elements begin
 * with their number. */
static void *device(GArray *array, uint64_t number)
{
    guint size = g_array_get_element_size(array);

    for (guint i = 0; i < array->len; i++) {
        char *at = array->data + (gsize)i * size;

        if (*(int64_t *)(void *)at == (int64_t)number)
            return at;
    }
    if (array->len >= MAX_DEVICES)
        return NULL;
    g_array_set_size(array, array->len + 1);
    *(int64_t *)(void *)(array->data + (gsize)(array->len - 1) * size) = (int64_t)number;
    return array->data + (gsize)(array->len - 1) * size;
}

static void take_vif(struct xl_facts *facts, uint64_t number, const char *key, const char *value)
{
    struct xl_vif *vif = device(facts->vifs, number);

    if (!vif)
        return;
    if (strcmp(key, "mac") == 0)
        set_text(&vif->mac, value);
    else if (strcmp(key, "bridge") == 0)
        set_text(&vif->bridge, value);
    else if (strcmp(key, "vifname") == 0 && *value)
        set_text(&vif->backend, value);
}

static void take_vbd(struct xl_facts *facts, uint64_t number, const char *key, const char *value)
{
    struct xl_vbd *vbd = device(facts->vbds, number);

    if (!vbd)
        return;
    if (strcmp(key, "dev") == 0)
        set_text(&vbd->device, value);
    else if (strcmp(key, "params") == 0)
        set_text(&vbd->target, value);
    else if (strcmp(key, "mode") == 0)
        vbd->mode = *value == 'r' ? 'r' : *value == 'w' ? 'w' : 0;
}

static void take_type(struct xl_facts *facts, const char *value)
{
    facts->virt = strcmp(value, "pv") == 0    ? XC_VIRT_PV
                  : strcmp(value, "hvm") == 0 ? XC_VIRT_HVM
                  : strcmp(value, "pvh") == 0 ? XC_VIRT_PVH
                                              : XC_VIRT_UNKNOWN;
}

/* Behind /libxl/<domid>/: the first line of an answer replaces what was remembered. */
static void take_libxl(struct xl_memory *memory, struct xl_facts *facts, const char *path,
                       const char *value)
{
    uint64_t number;
    bool vif = false;

    if (facts->read_at != memory->polls + 1) {
        facts->read_at = memory->polls + 1;
        facts->vcpus_max = 0;
        g_array_set_size(facts->vifs, 0);
        g_array_set_size(facts->vbds, 0);
    }
    if (strcmp(path, "type") == 0) {
        take_type(facts, value);
        return;
    }
    vif = xl_take_prefix(&path, "device/vif/");
    if ((!vif && !xl_take_prefix(&path, "device/vbd/")) ||
        !xl_take_number(&path, G_MAXINT32, &number))
        return;
    if (*path == '/' && vif)
        take_vif(facts, number, path + 1, value);
    else if (*path == '/')
        take_vbd(facts, number, path + 1, value);
}

/* Behind /local/domain/<domid>/ */
static void take_local(struct xl_facts *facts, const char *path, const char *value)
{
    uint64_t number;

    if (strcmp(path, "memory/target") == 0) {
        if (xc_text_to_u64(value, 0, XL_MAX_MIB * XL_KIB_PER_MIB, &number, NULL))
            facts->mem_target_kib = number;
    } else if (strcmp(path, "memory/static-max") == 0) {
        if (xc_text_to_u64(value, 0, XL_MAX_MIB * XL_KIB_PER_MIB, &number, NULL))
            facts->mem_max_kib = number;
    } else if (xl_take_prefix(&path, "cpu/") && xl_take_number(&path, MAX_VCPUS, &number) &&
               strcmp(path, "/availability") == 0) {
        facts->vcpus_max = MAX(facts->vcpus_max, number + 1);
    }
}

/* Behind /vm/: uuid -> start, in microseconds. */
static void take_vm(GHashTable *starts, const char *path, const char *value)
{
    const char *slash = strchr(path, '/');
    g_autofree char *text = slash ? g_strndup(path, (gsize)(slash - path)) : NULL;
    struct xc_uuid uuid;
    uint64_t usec;

    if (!text || strcmp(slash, "/start_time") != 0 || !xc_uuid_parse(text, &uuid) ||
        !xc_text_to_scaled(value, (uint64_t)XC_USEC_PER_SEC, &usec, NULL) ||
        usec > (uint64_t)G_MAXINT64)
        return;
    g_hash_table_replace(starts, g_ascii_strdown(text, -1), g_memdup2(&usec, sizeof(usec)));
}

/* A domain that migrates to its own host shares its uuid with its other half. */
static void set_starts(struct xl_memory *memory, GHashTable *starts)
{
    GHashTableIter iter;
    void *data;

    g_hash_table_iter_init(&iter, memory->facts);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        struct xl_facts *facts = data;
        char text[XC_UUID_TEXT];
        const uint64_t *usec;

        xc_uuid_format(&facts->uuid, text);
        usec = g_hash_table_lookup(starts, text);
        if (usec)
            facts->started = (gint64)*usec;
    }
}

static struct xl_facts *take_domid(const struct xl_memory *memory, const char **path)
{
    uint64_t number;
    gint64 domid;

    if (!xl_take_number(path, XL_MAX_DOMID, &number) || **path != '/')
        return NULL;
    (*path)++;
    domid = (gint64)number;
    return g_hash_table_lookup(memory->facts, &domid);
}

static void take_line(struct xl_memory *memory, GHashTable *starts, char *line)
{
    char *value = strstr(line, " = \"");
    const char *path = line;
    size_t length;
    struct xl_facts *facts;

    if (!value)
        return;
    *value = 0;
    value += 4;
    length = strlen(value);
    if (length > 0 && value[length - 1] == '"')
        value[length - 1] = 0;
    unescape(value);
    if (xl_take_prefix(&path, "/libxl/")) {
        facts = take_domid(memory, &path);
        if (facts)
            take_libxl(memory, facts, path, value);
    } else if (xl_take_prefix(&path, "/local/domain/")) {
        facts = take_domid(memory, &path);
        if (facts)
            take_local(facts, path, value);
    } else if (xl_take_prefix(&path, "/vm/")) {
        take_vm(starts, path, value);
    }
}

void xl_store_parse(struct xl_memory *memory, struct xl_lines lines)
{
    g_autoptr(GHashTable) starts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    char *line;

    while ((line = xl_next_line(&lines)))
        take_line(memory, starts, line);
    set_starts(memory, starts);
}
