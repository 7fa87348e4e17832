/* What the files of the xl parsers share. Nobody else includes it. */
#pragma once

#include "xenclient/drivers/xl_parse.h"

#include <string.h>

/* A piece of a writable, NUL-terminated text, read line by line; lines lose their newline. */
struct xl_lines {
    char *at;
    char *end;
};
/* The next line, NUL-terminated in place, or NULL. */
char *xl_next_line(struct xl_lines *lines);
/* The last word of a line of that length, cut off; NULL when there is none. */
char *xl_last_word(char *line, size_t *length);

/* A decimal number at *text, at most max; moves *text behind it. No sign, no blanks. */
bool xl_take_number(const char **text, uint64_t max, uint64_t *out);
/* True and *text moved when it begins with prefix. */
bool xl_take_prefix(const char **text, const char *prefix);

#define XL_MAX_DOMID   0x7fff
#define XL_KIB_PER_MIB ((uint64_t)1024)
/* A host's memory above this is no memory but a wrong number: 16 TiB in MiB, times 64. */
#define XL_MAX_MIB ((uint64_t)1 << 30)

/* --- what is remembered of a living domain */

struct xl_vif {
    int64_t device;
    char *mac;
    char *bridge;
    char *backend; /* interface name set by the configuration, NULL: the usual one */
};

struct xl_vbd {
    int64_t number;
    char *device;
    char *target;
    char mode; /* 'r', 'w', 0 not known */
};

struct xl_facts {
    int64_t domid;
    struct xc_uuid uuid;
    unsigned read_at; /* number of the poll whose answer held its configuration; 0: none did */
    unsigned listed;  /* number of the poll that showed it last */
    unsigned owed;    /* so many polls to come ask for everything about it */
    bool resized;     /* the next poll asks for its memory target */
    uint64_t last_mem_mib;
    enum xc_virt virt;  /* XC_VIRT_UNKNOWN: not known */
    uint64_t vcpus_max; /* this and the next three: 0 not known */
    uint64_t mem_target_kib;
    uint64_t mem_max_kib;
    gint64 started;
    GArray *vifs; /* struct xl_vif */
    GArray *vbds; /* struct xl_vbd */
};

/* A guest as its configuration file describes it. */
struct xl_config {
    char *path;
    char *name; /* cleaned */
    bool has_uuid;
    struct xc_uuid uuid;
    enum xc_virt virt;
    uint64_t vcpus;
    uint64_t vcpus_max;
    uint64_t mem_kib; /* 0: not said */
    uint64_t mem_max_kib;
};

/* A guest in a file. */
struct xl_saved {
    struct xc_uuid uuid;
    char *name;    /* cleaned; may be cut */
    bool resuming; /* a resume has taken it */
    bool told;     /* that it should not be there */
};

struct xl_memory {
    unsigned polls;      /* answers understood so far */
    GHashTable *facts;   /* gint64 * domid (inside the value) -> struct xl_facts * */
    GPtrArray *configs;  /* struct xl_config *, by path */
    GPtrArray *saves;    /* struct xl_saved *, as listed */
    char *saves_text;    /* the list it was read from; NULL: none */
    bool saves_blind;    /* the directory could not be listed the last time */
    char *configs_stamp; /* what the host said of the files when configs was read; NULL: never */
    char *boot_id;       /* of the host that the facts belong to */
    bool once_done;      /* product and cpu_model were asked for */
    char *product;
    char *cpu_model;
    gint64 boot_time; /* what the host's clock showed at uptime 0; 0: not known */
};

/* --- xl_parse.c */
void xl_memory_forget_boot(struct xl_memory *memory); /* the host was started anew */

/* --- xl_parse_list.c */
/* struct xl_row * of the list; lines are cut up. */
GPtrArray *xl_rows_parse(struct xl_lines lines, GError **error);
/* "key : value" in place. */
bool xl_info_split(char *line, char **key, char **value);
/* A NUL-terminated copy; NUL octets within become '?'. */
char *xl_copy_text(const char *text, size_t length);

/* --- xl_parse_devices.c */

/* Interfaces and counters as one answer shows them. */
struct xl_traffic {
    uint64_t n[8]; /* rx bytes packets errors drops, tx the same; the control domain's view */
};
struct xl_seen_vif {
    int64_t domid;
    int64_t device;
    bool emulated; /* its name ends in -emu */
    const char *name;
};
struct xl_seen_vbd {
    int64_t domid;
    int64_t number;
    uint64_t n[4]; /* rd_req, wr_req, rd_sect, wr_sect */
    unsigned has;  /* bits of those known */
};
struct xl_seen_vcpu {
    int64_t domid;
    int64_t number;
    int64_t cpu; /* -1: on none */
    uint64_t cpu_usec;
    enum xc_vcpu_state state;
    const char *affinity;
};
struct xl_seen {
    GHashTable *traffic;  /* interface name (inside the answer) -> struct xl_traffic * */
    GHashTable *bridges;  /* interface name -> bridge name, both inside the answer */
    GHashTable *physical; /* set of interface names with a device behind them */
    GHashTable *backends; /* set of interface names that sysfs gives to a domain */
    GArray *vifs;         /* struct xl_seen_vif, sorted by domid, device after xl_seen_sort() */
    GArray *vbds;         /* struct xl_seen_vbd, likewise */
    GArray *vcpus;        /* struct xl_seen_vcpu, likewise by domid, number */
};
void xl_seen_init(struct xl_seen *seen);
void xl_seen_clear(struct xl_seen *seen);
/* One line of /proc/net/dev, of the list of sysfs paths, one counter of a vbd. */
void xl_seen_netdev(struct xl_seen *seen, char *line);
void xl_seen_path(struct xl_seen *seen, char *path);
void xl_seen_vbd_counter(struct xl_seen *seen, const char *path, const char *value);
void xl_seen_sort(struct xl_seen *seen);
/* The first element of a sorted array of the above whose domid is not lower. */
guint xl_lower_bound(const GArray *array, int64_t domid);
/* Octets of all physical interfaces; false when there is none. */
bool xl_seen_physical(const struct xl_seen *seen, uint64_t *rx, uint64_t *tx);

/* --- xl_parse_vcpus.c */
/* The output of xl vcpu-list; sorts. */
void xl_seen_vcpus(struct xl_seen *seen, struct xl_lines lines);
/* Adds the virtual processors of the domain with that ordinal. */
void xl_vcpus_report(const struct xl_seen *seen, int64_t domid, struct xc_report *report,
                     uint32_t ordinal);

/* --- xl_parse_store.c */
struct xl_facts *xl_facts_new(int64_t domid, const struct xc_uuid *uuid);
void xl_facts_free(void *data);
/* xenstore-ls -f: fills the facts of domains that memory knows. */
void xl_store_parse(struct xl_memory *memory, struct xl_lines lines);
/* Adds the devices of the domain with that ordinal; sets facts->owed when the facts look outdated.
 * facts may be NULL. */
void xl_devices_report(const struct xl_seen *seen, int64_t domid, struct xl_facts *facts,
                       struct xc_report *report, uint32_t ordinal);

/* --- xl_parse_host.c */
struct xl_host_facts {
    struct xl_lines info; /* xl info; at NULL: none */
    struct xl_lines once; /* files that are read at the first poll only */
    const char *uptime;   /* seconds; NULL: not known, as the next ones */
    const char *date;     /* seconds since 1970 at that moment */
    const char *loadavg;  /* line of the /proc file */
    const char *boot_id;
};
/* Fills the host from an answer; keeps in memory what is asked once only. */
void xl_host_report(const struct xl_host_facts *facts, struct xl_memory *memory,
                    struct xc_report *report, struct xc_host *host);

/* --- xl_parse_saves.c */
void xl_saved_free(void *data);
/* The list of the save directory's files; ok: it could be read, else what was known stays. */
void xl_saves_parse(struct xl_memory *memory, struct xl_lines lines, bool ok, GPtrArray *warnings);
/* Each domain once, and none that lives; what should not be is warned of. lives: by uuid, struct
 * xl_row *. Elements are borrowed; free the array. */
GPtrArray *xl_saves_asleep(const struct xl_memory *memory, GHashTable *lives, GPtrArray *warnings);

/* --- xl_parse_config.c */
void xl_config_free(void *data);
/* Contents of the configuration files, "path:line" each: replaces memory->configs. */
void xl_configs_parse(struct xl_memory *memory, struct xl_lines lines, GPtrArray *warnings);
