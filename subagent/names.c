/* The order of names. With 100,000 domains it is 200,000 texts: they are copied once (the snapshots
 * they come from may go) and compared by length and their first octets, which lie in the entries themselves. */
#include "subagent/names.h"

#include "xenclient/model/model.h"

#include <string.h>

struct st_names {
    bool built;
    uint64_t generation;
    GStringChunk *texts;
    GArray *rows; /* struct st_name */
};

#define FIRST_WORDS  3
#define FIRST_OCTETS (FIRST_WORDS * sizeof(uint64_t))

struct entry {
    uint32_t length;
    uint32_t domain;
    uint64_t first[FIRST_WORDS]; /* the first octets, big endian, zeros behind the end */
    const char *text;
};

struct st_names *st_names_new(void)
{
    struct st_names *names = g_new0(struct st_names, 1);

    names->rows = g_array_new(FALSE, FALSE, sizeof(struct st_name));
    return names;
}

static void drop_texts(struct st_names *names)
{
    if (names->texts)
        g_string_chunk_free(names->texts);
    names->texts = NULL;
}

void *st_names_free(struct st_names *names)
{
    if (!names)
        return NULL;
    drop_texts(names);
    g_array_unref(names->rows);
    g_free(names);
    return NULL;
}

static void add(struct st_names *names, GArray *entries, const char *text, uint32_t domain)
{
    struct entry entry = {.length = (uint32_t)strlen(text), .domain = domain};

    if (entry.length == 0 || entry.length > ST_NAME_MAX)
        return;
    memcpy(entry.first, text, MIN(entry.length, FIRST_OCTETS));
    for (unsigned i = 0; i < FIRST_WORDS; i++)
        entry.first[i] = GUINT64_FROM_BE(entry.first[i]);
    entry.text = g_string_chunk_insert_len(names->texts, text, (gssize)entry.length);
    g_array_append_val(entries, entry);
}

static void add_domain(struct st_names *names, GArray *entries, const struct xc_domain_ref *ref)
{
    const struct xc_domain *domain = xc_ref_domain(ref);
    char both[2 * (ST_NAME_MAX + 1) + 1];

    if (xc_ref_presence(ref) == XC_DELETED || !XC_HAS(DOMAIN, domain, name) || !*domain->name)
        return;
    add(names, entries, domain->name, ref->index);
    const char *host = xc_fleet_host_key(ref);

    if (*host && g_snprintf(both, sizeof(both), "%s/%s", host, domain->name) < (int)sizeof(both))
        add(names, entries, both, ref->index);
}

static int by_text(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;

    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    for (unsigned i = 0; i < FIRST_WORDS; i++)
        if (x->first[i] != y->first[i])
            return x->first[i] < y->first[i] ? -1 : 1;
    int order = x->length > FIRST_OCTETS ? memcmp(x->text + FIRST_OCTETS, y->text + FIRST_OCTETS,
                                                  x->length - FIRST_OCTETS)
                                         : 0;

    return order ? order : (x->domain > y->domain) - (x->domain < y->domain);
}

/* Equal texts become one row that counts them. */
static void merge(GArray *rows, const GArray *entries)
{
    g_array_set_size(rows, 0);
    for (guint i = 0; i < entries->len; i++) {
        const struct entry *entry = &g_array_index(entries, struct entry, i);
        struct st_name *last =
            rows->len ? &g_array_index(rows, struct st_name, rows->len - 1) : NULL;
        const struct st_name row = {entry->text, entry->domain, 1};

        if (last && strcmp(last->text, entry->text) == 0)
            last->count++;
        else
            g_array_append_val(rows, row);
    }
}

const struct st_name *st_names_rows(struct st_names *names, const struct xc_engine *engine,
                                    size_t *n)
{
    uint64_t generation = xc_fleet_generation(engine);

    if (!names->built || names->generation != generation) {
        size_t n_domains = 0;
        const struct xc_domain_ref *refs = xc_fleet_domains(engine, &n_domains);
        g_autoptr(GArray) entries =
            g_array_sized_new(FALSE, FALSE, sizeof(struct entry), (guint)(2 * n_domains));

        drop_texts(names);
        names->texts = g_string_chunk_new(64 * 1024);
        for (size_t i = 0; i < n_domains; i++)
            add_domain(names, entries, &refs[i]);
        if (entries->len)
            qsort(entries->data, entries->len, sizeof(struct entry), by_text);
        merge(names->rows, entries);
        names->generation = generation;
        names->built = true;
    }
    *n = names->rows->len;
    return (const struct st_name *)(const void *)names->rows->data;
}
