/* Counters of devices that go on over lives of their domain: base + what the present life counted. */
#include "xenclient/engine/totals.h"

#include <string.h>

/* So many devices may be away and still be known when they come back. */
#define MAX_AWAY 16

/* A record: index, lasts, bases. */
#define LAST(record)    ((record) + 1)
#define BASE(record, c) ((record) + 1 + (c))

static unsigned n_counters(const struct xc_object *type)
{
    unsigned n = 0;

    for (unsigned i = 0; i < type->n_fields; i++)
        n += type->fields[i].kind == XC_COUNTER;
    return n;
}

static size_t record_words(unsigned counters, bool based)
{
    return 1 + (based ? 2 : 1) * (size_t)counters;
}

/* Adds or drops the bases of all records. */
static void set_based(struct xc_totals *totals, unsigned counters, bool based)
{
    size_t from = record_words(counters, totals->based);
    size_t to = record_words(counters, based);
    uint64_t *all;

    if (totals->based == based || !totals->n)
        return;
    all = g_new0(uint64_t, totals->n * to);
    for (uint32_t i = 0; i < totals->n; i++)
        memcpy(all + i * to, totals->words + i * from, MIN(from, to) * sizeof(*all));
    g_free(totals->words);
    totals->words = all;
    totals->based = based;
}

void xc_totals_clear(struct xc_totals *totals)
{
    g_free(totals->words);
    *totals = (struct xc_totals){0};
}

void xc_totals_new_life(struct xc_totals *totals, enum xc_device_kind kind)
{
    unsigned counters = n_counters(xc_device_type(kind));

    set_based(totals, counters, true);
    for (uint32_t i = 0; i < totals->n; i++) {
        uint64_t *record = totals->words + i * record_words(counters, true);

        for (unsigned c = 0; c < counters; c++) {
            BASE(record, counters)[c] += LAST(record)[c];
            LAST(record)[c] = 0;
        }
    }
}

static const struct xc_device *device_at(const struct xc_object *type, const void *devices,
                                         size_t i)
{
    return (const struct xc_device *)(const void *)((const char *)devices + i * type->size);
}

/* How many of the devices have a record; both are sorted by index. */
static size_t count_known(const struct xc_totals *totals, size_t words,
                          const struct xc_object *type, const void *devices, size_t n)
{
    size_t known = 0;
    uint32_t t = 0;

    for (size_t i = 0; i < n; i++) {
        uint32_t index = device_at(type, devices, i)->index;

        while (t < totals->n && totals->words[t * words] < index)
            t++;
        known += t < totals->n && totals->words[t * words] == index;
    }
    return known;
}

/* Gives every device a record, and keeps those of devices that are away unless told otherwise. */
static void add_records(struct xc_totals *totals, size_t words, const struct xc_object *type,
                        const void *devices, size_t n, bool keep_away)
{
    uint64_t *all = g_new0(uint64_t, (totals->n + n) * words);
    uint32_t kept = 0;
    uint32_t t = 0;

    for (size_t i = 0; i <= n; i++) {
        uint64_t index = i < n ? device_at(type, devices, i)->index : G_MAXUINT64;

        for (; t < totals->n && totals->words[t * words] < index; t++)
            if (keep_away)
                memcpy(all + kept++ * words, totals->words + t * words, words * sizeof(*all));
        if (i == n)
            break;
        if (t < totals->n && totals->words[t * words] == index)
            memcpy(all + kept * words, totals->words + t++ * words, words * sizeof(*all));
        all[kept++ * words] = index;
    }
    g_free(totals->words);
    totals->words = g_renew(uint64_t, all, kept * words);
    totals->n = kept;
}

static bool was_reset(const struct xc_object *type, const uint64_t *record,
                      const struct xc_device *device)
{
    unsigned c = 0;

    for (unsigned i = 0; i < type->n_fields; i++) {
        if (type->fields[i].kind != XC_COUNTER)
            continue;
        if (xc_has(device, i) && xc_field_u64(&type->fields[i], device) < LAST(record)[c])
            return true;
        c++;
    }
    return false;
}

/* One device whose record has bases if one is needed. */
static void count(const struct xc_object *type, unsigned counters, bool based, uint64_t *record,
                  struct xc_device *device)
{
    unsigned c = 0;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const struct xc_field *field = &type->fields[i];
        uint64_t *value = (uint64_t *)(void *)((char *)device + field->offset);

        if (field->kind != XC_COUNTER)
            continue;
        if (xc_has(device, i)) {
            if (*value < LAST(record)[c])
                BASE(record, counters)[c] += LAST(record)[c];
            LAST(record)[c] = *value;
            *value += based ? BASE(record, counters)[c] : 0;
        }
        c++;
    }
}

unsigned xc_totals_apply(struct xc_totals *totals, enum xc_device_kind kind, void *devices,
                         size_t n)
{
    const struct xc_object *type = xc_device_type(kind);
    unsigned counters = n_counters(type);
    size_t words = record_words(counters, totals->based);
    size_t known = count_known(totals, words, type, devices, n);
    unsigned events = 0;
    uint32_t t = 0;

    if (known < n) {
        bool keep_away = totals->n - known <= MAX_AWAY;

        add_records(totals, words, type, devices, n, keep_away);
        events = keep_away ? 0 : XC_TOTALS_FORGOTTEN;
    }
    for (size_t i = 0; i < n; i++) {
        struct xc_device *device = (struct xc_device *)(void *)((char *)devices + i * type->size);

        while (totals->words[t * words] != device->index)
            t++;
        if (was_reset(type, totals->words + t * words, device)) {
            set_based(totals, counters, true);
            words = record_words(counters, true);
            events |= XC_TOTALS_RESET;
        }
        count(type, counters, totals->based, totals->words + t * words, device);
    }
    return events;
}

void xc_totals_write(const struct xc_totals *totals, enum xc_device_kind kind, GByteArray *to)
{
    unsigned counters = n_counters(xc_device_type(kind));

    xc_put_u32(to, totals->n);
    for (uint32_t i = 0; i < totals->n; i++) {
        const uint64_t *record = totals->words + i * record_words(counters, totals->based);

        xc_put_u64(to, record[0]);
        for (unsigned c = 0; c < counters; c++)
            xc_put_u64(to, totals->based ? BASE(record, counters)[c] : 0);
        for (unsigned c = 0; c < counters; c++)
            xc_put_u64(to, LAST(record)[c]);
    }
}

void xc_totals_read(struct xc_totals *totals, enum xc_device_kind kind, struct xc_reader *from)
{
    unsigned counters = n_counters(xc_device_type(kind));
    size_t words = record_words(counters, true);
    uint32_t n = xc_get_u32(from);
    uint64_t before = 0;
    uint64_t bases = 0;

    if (from->bad || n > (size_t)(from->end - from->at) / (words * sizeof(uint64_t))) {
        from->bad = true;
        return;
    }
    totals->n = n;
    totals->based = true;
    totals->words = g_new(uint64_t, n * words);
    for (uint32_t i = 0; i < n && !from->bad; i++) {
        uint64_t *record = totals->words + i * words;

        record[0] = xc_get_u64(from);
        for (unsigned c = 0; c < counters; c++)
            bases |= BASE(record, counters)[c] = xc_get_u64(from);
        for (unsigned c = 0; c < counters; c++)
            LAST(record)[c] = xc_get_u64(from);
        /* Sorted, or the merge would look for a device behind the end. */
        from->bad = from->bad || record[0] <= before;
        before = record[0];
    }
    if (from->bad)
        xc_totals_clear(totals);
    else
        set_based(totals, counters, bases != 0);
}
