/* xl vcpu-list: "NAME ID VCPU CPU STATE TIME HARD / SOFT". A name may hold anything, so words are
 * counted from the right. */
#include "xenclient/drivers/xl_parse_private.h"

#include "xenclient/util/text.h"

/* Xen has no host with more processors than this. */
#define MAX_CPU 65535

enum word { SOFT, SLASH, HARD, TIME, STATE, CPU, NUMBER, DOMID, N_WORDS };

static bool whole_number(const char *word, uint64_t max, int64_t *out)
{
    uint64_t value;

    if (!xl_take_number(&word, max, &value) || *word)
        return false;
    *out = (int64_t)value;
    return true;
}

/* Running, blocked and paused have a place each; xl says paused of those that are offline. */
static enum xc_vcpu_state state_of(const char *word)
{
    if (word[0] == 'r')
        return XC_VCPU_RUNNING;
    if (word[0] && word[1] == 'b')
        return XC_VCPU_BLOCKED;
    return strcmp(word, "--p") == 0 ? XC_VCPU_OFFLINE : XC_VCPU_WAITING;
}

static bool parse_line(char *line, struct xl_seen_vcpu *out)
{
    char *words[N_WORDS];
    size_t length = strlen(line);

    for (unsigned i = 0; i < N_WORDS; i++) {
        words[i] = xl_last_word(line, &length);
        if (!words[i])
            return false;
    }
    if (strcmp(words[SLASH], "/") != 0 || strlen(words[STATE]) != 3 ||
        !whole_number(words[DOMID], XL_MAX_DOMID, &out->domid) ||
        !whole_number(words[NUMBER], MAX_CPU, &out->number) ||
        !xc_text_to_scaled(words[TIME], 1000000, &out->cpu_usec, NULL))
        return false;
    if (strcmp(words[CPU], "-") == 0)
        out->cpu = -1;
    else if (!whole_number(words[CPU], MAX_CPU, &out->cpu))
        return false;
    out->state = state_of(words[STATE]);
    out->affinity = words[HARD];
    return true;
}

static int by_vcpu(const void *a, const void *b)
{
    const struct xl_seen_vcpu *x = a;
    const struct xl_seen_vcpu *y = b;

    if (x->domid != y->domid)
        return x->domid < y->domid ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

void xl_seen_vcpus(struct xl_seen *seen, struct xl_lines lines)
{
    char *line;

    while ((line = xl_next_line(&lines))) {
        struct xl_seen_vcpu vcpu = {0};

        if (seen->vcpus->len < XC_MAX_DEVICES && parse_line(line, &vcpu))
            g_array_append_val(seen->vcpus, vcpu);
    }
    g_array_sort(seen->vcpus, by_vcpu);
}

void xl_vcpus_report(const struct xl_seen *seen, int64_t domid, struct xc_report *report,
                     uint32_t ordinal)
{
    for (guint i = xl_lower_bound(seen->vcpus, domid); i < seen->vcpus->len; i++) {
        const struct xl_seen_vcpu *from = &g_array_index(seen->vcpus, struct xl_seen_vcpu, i);
        struct xc_vcpu *vcpu;

        if (from->domid != domid)
            return;
        vcpu = xc_report_vcpu(report, ordinal);
        if (!vcpu)
            return;
        XC_SET(VCPU, vcpu, number, from->number);
        XC_SET(VCPU, vcpu, state, from->state);
        if (from->cpu >= 0)
            XC_SET(VCPU, vcpu, cpu, from->cpu);
        XC_SET(VCPU, vcpu, cpu_usec, from->cpu_usec);
        XC_SET(VCPU, vcpu, affinity, xc_report_text(report, from->affinity, -1));
    }
}
