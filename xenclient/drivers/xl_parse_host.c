/* What an answer says of the host itself. */
#include "xenclient/drivers/xl_parse_private.h"

#include "xenclient/util/clock.h"
#include "xenclient/util/text.h"

/* Clock and uptime of the host are read a moment apart. Their difference is kept while it stays
 * within this, so that the clock of the rates runs evenly; beyond, somebody set the host's clock. */
#define CLOCK_SET_USEC XC_USEC_PER_SEC

enum info_kind { INFO_TEXT, INFO_NUMBER, INFO_MIB, INFO_ROUNDED };

/* Which line of xl info is which fact. */
static const struct {
    const char *key;
    enum xc_host_field field;
    enum info_kind kind;
    uint64_t max;
} infos[] = {
    {"host", XC_HOST_name, INFO_TEXT, 0},
    {"release", XC_HOST_kernel, INFO_TEXT, 0},
    {"xen_version", XC_HOST_xen_version, INFO_TEXT, 0},
    {"nr_cpus", XC_HOST_cpus, INFO_NUMBER, 1 << 20},
    {"cores_per_socket", XC_HOST_cores_per_socket, INFO_NUMBER, 1 << 20},
    {"threads_per_core", XC_HOST_threads_per_core, INFO_NUMBER, 1 << 20},
    {"cpu_mhz", XC_HOST_cpu_mhz, INFO_ROUNDED, 1000000},
    {"total_memory", XC_HOST_mem_total_kib, INFO_MIB, XL_MAX_MIB},
    {"free_memory", XC_HOST_mem_free_kib, INFO_MIB, XL_MAX_MIB},
};

static void set_info(unsigned i, const char *value, struct xc_report *report, struct xc_host *host)
{
    const struct xc_field *field = &xc_host_type.fields[infos[i].field];
    char *at = (char *)host + field->offset;
    uint64_t number = 0;
    bool ok = true;

    if (infos[i].kind == INFO_TEXT) {
        ok = *value;
        *(const char **)(void *)at = xc_report_text(report, value, -1);
    } else {
        ok = infos[i].kind == INFO_ROUNDED ? xc_text_to_scaled(value, 1, &number, NULL)
                                           : xc_text_to_u64(value, 0, infos[i].max, &number, NULL);
        ok = ok && number <= infos[i].max;
        *(uint64_t *)(void *)at = infos[i].kind == INFO_MIB ? number * XL_KIB_PER_MIB : number;
    }
    if (ok)
        host->has |= (uint64_t)1 << infos[i].field;
}

static void report_info(struct xl_lines lines, struct xc_report *report, struct xc_host *host)
{
    char *line;
    char *key;
    char *value;
    uint64_t per_socket;

    while ((line = xl_next_line(&lines))) {
        if (!xl_info_split(line, &key, &value))
            continue;
        for (unsigned i = 0; i < G_N_ELEMENTS(infos); i++)
            if (strcmp(key, infos[i].key) == 0)
                set_info(i, value, report, host);
    }
    if (!XC_HAS(HOST, host, cpus) || !XC_HAS(HOST, host, cores_per_socket) ||
        !XC_HAS(HOST, host, threads_per_core))
        return;
    per_socket = host->cores_per_socket * host->threads_per_core;
    if (per_socket && host->cpus && host->cpus % per_socket == 0)
        XC_SET(HOST, host, sockets, host->cpus / per_socket);
}

/* The decimal number that a line begins with, times scale. A date of busybox knows no %N. */
static bool first_number(const char *line, uint64_t scale, int64_t *out)
{
    size_t whole = line ? strspn(line, "0123456789") : 0;
    size_t fraction = whole && line[whole] == '.' ? strspn(line + whole + 1, "0123456789") : 0;
    g_autofree char *word = g_strndup(line, fraction ? whole + 1 + fraction : whole);
    uint64_t value;

    if (!whole || !xc_text_to_scaled(word, scale, &value, NULL) || value > G_MAXINT64 / 2)
        return false;
    *out = (int64_t)value;
    return true;
}

/* Everything remembered of another boot is wrong. */
static void check_boot(struct xl_memory *memory, const char *boot_id)
{
    if (memory->boot_id && strcmp(memory->boot_id, boot_id) != 0)
        xl_memory_forget_boot(memory);
    if (!memory->boot_id)
        memory->boot_id = g_strdup(boot_id);
}

static void report_clock(const struct xl_host_facts *facts, struct xl_memory *memory,
                         struct xc_host *host)
{
    int64_t uptime;
    int64_t date;

    if (!first_number(facts->uptime, (uint64_t)XC_USEC_PER_SEC, &uptime))
        return;
    if (first_number(facts->date, (uint64_t)XC_USEC_PER_SEC, &date) && date > uptime &&
        ABS(date - uptime - memory->boot_time) > CLOCK_SET_USEC)
        memory->boot_time = date - uptime;
    XC_SET(HOST, host, uptime_sec, (uint64_t)(uptime / XC_USEC_PER_SEC));
    if (!memory->boot_time)
        return;
    XC_SET(HOST, host, boot_time, memory->boot_time);
    XC_SET(HOST, host, clock, memory->boot_time + uptime);
}

static void report_boot(const struct xl_host_facts *facts, struct xl_memory *memory,
                        struct xc_report *report, struct xc_host *host)
{
    struct xc_uuid uuid;

    if (!facts->boot_id || !xc_uuid_parse(facts->boot_id, &uuid))
        return;
    check_boot(memory, facts->boot_id);
    XC_SET(HOST, host, boot_id, xc_report_text(report, facts->boot_id, -1));
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" */
static void take_once(struct xl_memory *memory, const char *line)
{
    if (xl_take_prefix(&line, "/etc/os-release:PRETTY_NAME=")) {
        g_autofree char *plain = g_shell_unquote(line, NULL);

        g_free(memory->product);
        memory->product =
            xc_text_clean(plain ? plain : line, strlen(plain ? plain : line), XC_TEXT_MAX);
    } else if (xl_take_prefix(&line, "/proc/cpuinfo:model name")) {
        line += strspn(line, " \t:");
        g_free(memory->cpu_model);
        memory->cpu_model = xc_text_clean(line, strlen(line), XC_TEXT_MAX);
    }
}

void xl_host_report(const struct xl_host_facts *facts, struct xl_memory *memory,
                    struct xc_report *report, struct xc_host *host)
{
    struct xl_lines once = facts->once;
    int64_t load;
    char *line;

    report_info(facts->info, report, host);
    report_boot(facts, memory, report, host);
    report_clock(facts, memory, host);
    if (first_number(facts->loadavg, 100, &load))
        XC_SET(HOST, host, load1_x100, (uint64_t)load);
    while ((line = xl_next_line(&once)))
        take_once(memory, line);
    if (memory->product && *memory->product)
        XC_SET(HOST, host, product, xc_report_text(report, memory->product, -1));
    if (memory->cpu_model && *memory->cpu_model)
        XC_SET(HOST, host, cpu_model, xc_report_text(report, memory->cpu_model, -1));
}
