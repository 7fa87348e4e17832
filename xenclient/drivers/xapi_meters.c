/* From rates to counters. All hosts of a pool share one store, since VMs move between them. */
#include "xenclient/drivers/xapi_meters.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

#include <string.h>

/* Rows come some seconds late: what is counted stays behind the clock by so much, so that it goes on evenly. */
#define BEHIND_USEC (10 * XC_USEC_PER_SEC)
#define WINDOW_SEC  60
/* What is read again. Of a VM that came from another host less may be counted than of this one. */
#define OVERLAP_SEC 10
/* The host keeps steps of five seconds for ten minutes. */
#define WINDOW_MAX_SEC 590
#define FORGET_ROUNDS  100
/* What was told so many rounds ago is shown: of those that come later in the round that goes on. */
#define SHOWN_ROUNDS 1
/* What no device does: a number beyond is not one. */
#define RATE_MAX 1e13
/* What no counter comes to in a life, and less than what an integer of 64 bits holds. */
#define TOTAL_MAX 1e18
/* Of one host or VM; none has as many. */
#define METERS_MAX 2048
/* Hosts and VMs, and what is counted of all of them: no pool has as many. */
#define METERED_MAX    100000
#define METERS_ALL_MAX 2000000

struct meter {
    enum xapi_meter meter;
    uint32_t number;
    double total;    /* or the level */
    gint64 level_at; /* of a level, the row it is from, 0: of no row of this answer yet; else 0 */
    double shown;
    bool known, shown_known;
};

struct xapi_metered {
    uint64_t life;
    gint64 upto; /* microseconds by the host's clock; 0: never told of */
    gint64 shown_upto;
    bool shown;
    unsigned round;
    GArray *meters;  /* struct meter */
    GArray *news;    /* double per meter: what the answer being read adds */
    unsigned answer; /* the last one that told of it */
};

struct column {
    struct xapi_metered *of; /* NULL: not counted */
    uint32_t meter;
    double factor, max;
};

struct xapi_meters {
    GHashTable *all; /* struct xc_uuid -> struct xapi_metered */
    unsigned round;
    guint n_meters; /* of all */
    /* The answer that is being read. */
    unsigned answer;
    gint64 now, target, step;
    struct xapi_metered *last; /* whose column came last, NULL: none did */
    char last_uuid[XC_UUID_TEXT];
    GArray *columns; /* struct column */
    GPtrArray *told; /* struct xapi_metered, each once */
};

/* --- names */

bool xapi_device_number(const char *name, uint32_t *out)
{
    static const struct {
        const char *prefix;
        uint32_t first, step, n;
    } families[] = {{"xvd", 202 << 8, 16, 16}, {"sd", 8 << 8, 16, 16}, {"hd", 3 << 8, 64, 2}};

    for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
        const char *letters = name + strlen(families[i].prefix);
        uint32_t place;

        if (!g_str_has_prefix(name, families[i].prefix) || !g_ascii_islower(letters[0]))
            continue;
        place = (uint32_t)(letters[0] - 'a');
        if (letters[1] != '\0') {
            if (i != 0 || !g_ascii_islower(letters[1]) || letters[2] != '\0')
                return false;
            place = (place + 1) * 26 + (uint32_t)(letters[1] - 'a');
        }
        if (i == 0)
            *out = xapi_device_number_at(place);
        else if (place < families[i].n)
            *out = families[i].first + place * families[i].step;
        else if (families[i].prefix[0] == 'h' && place < 4)
            *out = (22 << 8) + (place - 2) * 64;
        else
            return false;
        return true;
    }
    return false;
}

uint32_t xapi_device_number_at(uint32_t place)
{
    return place < 16 ? (202u << 8) + place * 16 : (1u << 28) | (place << 8);
}

/* A name of a column, "*" standing for what tells devices apart. */
static const struct name {
    const char *kind, *before, *after;
    enum xapi_meter meter;
    bool device; /* the part between is a device's name, else a number */
    double factor, max;
} names[] = {
    {"vm", "cpu", "", XAPI_METER_CPU, false, 1e6, 1.5},
    {"vm", "vif_", "_rx", XAPI_METER_VIF_RX, false, 1, RATE_MAX},
    {"vm", "vif_", "_tx", XAPI_METER_VIF_TX, false, 1, RATE_MAX},
    {"vm", "vbd_", "_read", XAPI_METER_VBD_READ, true, 1, RATE_MAX},
    {"vm", "vbd_", "_write", XAPI_METER_VBD_WRITE, true, 1, RATE_MAX},
    {"vm", "vbd_", "_iops_read", XAPI_METER_VBD_READS, true, 1, RATE_MAX},
    {"vm", "vbd_", "_iops_write", XAPI_METER_VBD_WRITES, true, 1, RATE_MAX},
    {"host", "pif_eth", "_rx", XAPI_METER_PIF_RX, false, 1, RATE_MAX},
    {"host", "pif_eth", "_tx", XAPI_METER_PIF_TX, false, 1, RATE_MAX},
    {"host", "memory_free_kib", "", XAPI_METER_FREE_KIB, false, 1, RATE_MAX},
    {"host", "loadavg", "", XAPI_METER_LOAD, false, 1, 1e6},
};

static bool is_level(enum xapi_meter meter)
{
    return meter == XAPI_METER_FREE_KIB || meter == XAPI_METER_LOAD;
}

static bool matches(const struct name *name, const char *kind, const char *text, uint32_t *number)
{
    size_t before = strlen(name->before), after = strlen(name->after), length;
    char between[16]; /* longer than any device's name or number */
    uint64_t value = 0;

    /* Most are told apart by their first letter: this is done for each column of each answer. */
    if (name->before[0] != text[0] || strcmp(name->kind, kind) != 0 ||
        strncmp(text, name->before, before) != 0)
        return false;
    length = strlen(text);
    if (length < before + after || length - before - after >= sizeof(between) ||
        strcmp(text + length - after, name->after) != 0)
        return false;
    *number = 0;
    if (is_level(name->meter))
        return length == before;
    g_strlcpy(between, text + before, length - before - after + 1);
    if (name->device)
        return xapi_device_number(between, number);
    if (!xc_text_to_u64(between, 0, 65535, &value, NULL))
        return false;
    *number = (uint32_t)value;
    return true;
}

/* --- what is counted */

static void free_metered(void *data)
{
    struct xapi_metered *metered = data;

    g_array_unref(metered->meters);
    g_array_unref(metered->news);
    g_free(metered);
}

struct xapi_meters *xapi_meters_new(void)
{
    struct xapi_meters *meters = g_new0(struct xapi_meters, 1);

    meters->all = g_hash_table_new_full(xc_uuid_hash, xc_uuid_equal, g_free, free_metered);
    meters->columns = g_array_new(FALSE, TRUE, sizeof(struct column));
    meters->told = g_ptr_array_new();
    return meters;
}

void xapi_meters_free(struct xapi_meters *meters)
{
    if (!meters)
        return;
    g_hash_table_unref(meters->all);
    g_array_unref(meters->columns);
    g_ptr_array_unref(meters->told);
    g_free(meters);
}

static gboolean is_forgotten(gpointer key, gpointer value, gpointer data)
{
    struct xapi_meters *meters = data;
    const struct xapi_metered *metered = value;

    (void)key;
    if (meters->round - metered->round <= FORGET_ROUNDS)
        return FALSE;
    meters->n_meters -= metered->meters->len;
    return TRUE;
}

void xapi_meters_begin(struct xapi_meters *meters)
{
    meters->round++;
    g_hash_table_foreach_remove(meters->all, is_forgotten, meters);
}

void xapi_meters_open(struct xapi_meters *meters, gint64 now)
{
    meters->answer++;
    meters->now = now * XC_USEC_PER_SEC;
    meters->target = 0;
    meters->step = 0;
    meters->last = NULL;
    g_array_set_size(meters->columns, 0);
    g_ptr_array_set_size(meters->told, 0);
}

gint64 xapi_meters_start(const struct xapi_meters *meters, const struct xc_uuid *host, gint64 now)
{
    const struct xapi_metered *metered = g_hash_table_lookup(meters->all, host);
    gint64 start = now - WINDOW_SEC;

    if (metered && metered->upto)
        start = metered->upto / XC_USEC_PER_SEC - OVERLAP_SEC;
    return MAX(start, now - WINDOW_MAX_SEC);
}

/* Most columns are of the same VM as the one before. */
static struct xapi_metered *metered_of(struct xapi_meters *meters, const char *uuid_text)
{
    struct xapi_metered *metered;
    struct xc_uuid uuid;

    if (meters->last && strcmp(uuid_text, meters->last_uuid) == 0)
        return meters->last;
    if (!xc_uuid_parse(uuid_text, &uuid))
        return NULL;
    metered = g_hash_table_lookup(meters->all, &uuid);
    if (!metered && g_hash_table_size(meters->all) < METERED_MAX) {
        metered = g_new0(struct xapi_metered, 1);
        metered->meters = g_array_new(FALSE, TRUE, sizeof(struct meter));
        metered->news = g_array_new(FALSE, TRUE, sizeof(double));
        metered->round = meters->round - SHOWN_ROUNDS - 1;
        g_hash_table_insert(meters->all, g_memdup2(&uuid, sizeof(uuid)), metered);
    }
    meters->last = metered;
    g_strlcpy(meters->last_uuid, uuid_text, sizeof(meters->last_uuid));
    return metered;
}

static bool meter_of(struct xapi_meters *meters, struct xapi_metered *metered, enum xapi_meter kind,
                     uint32_t number, uint32_t *out)
{
    const struct meter fresh = {.meter = kind, .number = number};

    for (guint i = 0; i < metered->meters->len; i++) {
        const struct meter *meter = &g_array_index(metered->meters, struct meter, i);

        if (meter->meter == kind && meter->number == number) {
            *out = i;
            return true;
        }
    }
    if (metered->meters->len == METERS_MAX || meters->n_meters == METERS_ALL_MAX)
        return false;
    meters->n_meters++;
    *out = metered->meters->len;
    g_array_append_val(metered->meters, fresh);
    return true;
}

/* --- one answer */

static void take_span(gint64 end, gint64 step, void *data)
{
    struct xapi_meters *meters = data;

    meters->step = step * XC_USEC_PER_SEC;
    meters->target = end * XC_USEC_PER_SEC;
    if (meters->now)
        meters->target = MIN(meters->target, meters->now - BEHIND_USEC);
}

static void tell_of(struct xapi_meters *meters, struct xapi_metered *metered)
{
    if (metered->answer == meters->answer)
        return;
    metered->answer = meters->answer;
    g_array_set_size(metered->news, 0);
    g_ptr_array_add(meters->told, metered);
}

static void count_column(struct xapi_meters *meters, unsigned column, const struct name *name,
                         uint32_t number, struct xapi_metered *metered)
{
    struct column *entry = &g_array_index(meters->columns, struct column, column);
    struct meter *meter;

    if (!meter_of(meters, metered, name->meter, number, &entry->meter))
        return;
    tell_of(meters, metered);
    entry->of = metered;
    entry->factor = name->factor;
    entry->max = name->max;
    if (metered->news->len < metered->meters->len)
        g_array_set_size(metered->news, metered->meters->len);
    meter = &g_array_index(metered->meters, struct meter, entry->meter);
    meter->level_at = 0;
}

static void take_column(unsigned column, const char *kind, const char *uuid, const char *name,
                        void *data)
{
    struct xapi_meters *meters = data;
    uint32_t number = 0;

    g_array_set_size(meters->columns, column + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        struct xapi_metered *metered =
            matches(&names[i], kind, name, &number) ? metered_of(meters, uuid) : NULL;

        if (metered) {
            count_column(meters, column, &names[i], number, metered);
            return;
        }
    }
}

static const struct column *column_at(const struct xapi_meters *meters, unsigned column)
{
    const struct column *entry = column < meters->columns->len
                                     ? &g_array_index(meters->columns, struct column, column)
                                     : NULL;

    return entry && entry->of ? entry : NULL;
}

static struct meter *meter_at(const struct column *entry)
{
    return &g_array_index(entry->of->meters, struct meter, entry->meter);
}

static bool wants_value(unsigned column, gint64 t, void *data)
{
    const struct xapi_meters *meters = data;
    const struct column *entry = column_at(meters, column);
    const struct meter *meter = entry ? meter_at(entry) : NULL;

    if (!meter)
        return false;
    if (is_level(meter->meter))
        return t >= meter->level_at;
    /* What was counted, or is to be counted only later, is not even turned into a number. */
    return !meter->known || (entry->of->upto && t * XC_USEC_PER_SEC > entry->of->upto &&
                             t * XC_USEC_PER_SEC - meters->step < meters->target);
}

static void take_level(struct meter *meter, gint64 t, double value)
{
    if (t < meter->level_at)
        return;
    meter->level_at = t;
    meter->total = value;
    meter->known = true;
}

static void take_value(unsigned column, gint64 t, double value, void *data)
{
    struct xapi_meters *meters = data;
    const struct column *entry = column_at(meters, column);
    struct meter *meter;
    gint64 from, to;

    if (!entry || value < 0 || value > entry->max)
        return;
    meter = meter_at(entry);
    if (is_level(meter->meter)) {
        take_level(meter, t, value);
        return;
    }
    if (meter->meter == XAPI_METER_CPU)
        value = MIN(value, 1);
    to = MIN(t * XC_USEC_PER_SEC, meters->target);
    from = MAX(t * XC_USEC_PER_SEC - meters->step, entry->of->upto);
    if (to <= from)
        return;
    /* Of a time before it was measured it is not 0 but not known. A row or two may be missing. */
    meter->known = meter->known || entry->of->upto || meters->target - to < 2 * meters->step;
    if (entry->of->upto)
        g_array_index(entry->of->news, double, entry->meter) +=
            value * entry->factor * (double)(to - from) / (double)XC_USEC_PER_SEC;
}

const struct xapi_rrd_sink xapi_meters_sink = {take_span, take_column, wants_value, take_value};

/* The answer is whole. */
static void count(struct xapi_metered *metered)
{
    for (guint m = 0; m < metered->news->len; m++) {
        struct meter *meter = &g_array_index(metered->meters, struct meter, m);

        meter->total = MIN(meter->total + g_array_index(metered->news, double, m), TOTAL_MAX);
        if (is_level(meter->meter) && !meter->level_at)
            meter->known = false;
    }
    g_array_set_size(metered->news, 0);
}

void xapi_meters_close(struct xapi_meters *meters, bool done)
{
    for (guint i = 0; done && i < meters->told->len; i++) {
        struct xapi_metered *metered = meters->told->pdata[i];

        count(metered);
        /* A clock that was set back far begins anew; a little, and it waits. */
        if (meters->target > metered->upto ||
            metered->upto - meters->target > WINDOW_SEC * XC_USEC_PER_SEC)
            metered->upto = meters->target;
        metered->round = meters->round;
    }
    g_array_set_size(meters->columns, 0);
    g_ptr_array_set_size(meters->told, 0);
}

/* --- what came of it */

void xapi_meters_show(struct xapi_meters *meters)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, meters->all);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        struct xapi_metered *metered = value;

        metered->shown = meters->round - metered->round <= SHOWN_ROUNDS;
        metered->shown_upto = metered->upto;
        for (guint i = 0; metered->shown && i < metered->meters->len; i++) {
            struct meter *meter = &g_array_index(metered->meters, struct meter, i);

            meter->shown = meter->total;
            meter->shown_known = meter->known;
        }
    }
}

struct xapi_metered *xapi_meters_find(const struct xapi_meters *meters, const struct xc_uuid *uuid)
{
    struct xapi_metered *metered = g_hash_table_lookup(meters->all, uuid);

    return metered && metered->shown ? metered : NULL;
}

void xapi_metered_life(struct xapi_metered *metered, uint64_t life)
{
    for (guint i = 0; metered->life && metered->life != life && i < metered->meters->len; i++) {
        struct meter *meter = &g_array_index(metered->meters, struct meter, i);

        meter->total = 0;
        meter->shown = 0;
    }
    metered->life = life;
}

gint64 xapi_metered_clock(const struct xapi_metered *metered)
{
    return metered->shown_upto;
}

bool xapi_metered_get(const struct xapi_metered *metered, enum xapi_meter kind, uint32_t number,
                      double *out)
{
    for (guint i = 0; i < metered->meters->len; i++) {
        const struct meter *meter = &g_array_index(metered->meters, struct meter, i);

        if (meter->meter != kind || meter->number != number)
            continue;
        *out = meter->shown;
        return meter->shown_known;
    }
    return false;
}

bool xapi_metered_sum(const struct xapi_metered *metered, enum xapi_meter kind, double *out)
{
    bool known = false;

    *out = 0;
    for (guint i = 0; i < metered->meters->len; i++) {
        const struct meter *meter = &g_array_index(metered->meters, struct meter, i);

        if (meter->meter != kind || !meter->shown_known)
            continue;
        *out = MIN(*out + meter->shown, TOTAL_MAX);
        known = true;
    }
    return known;
}
