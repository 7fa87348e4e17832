/* Shell scripts that carry out one action on a Xen host, and what they report. Pure functions.
 *
 * An action runs detached on the host, in the directory /run/xensnmp/OP (another parent: XENSNMP_RUN
 * in the environment there). Making that directory is the fence: of all that try, one succeeds and acts, however
 * often and late the script arrives. Inside: pid (number and start time), phase, out, err, and at the
 * very end status, put there by rename. Finished ones older than a day become a line of the file
 * `finished`, so that even then nothing runs twice before the host restarts. */
#pragma once

#include "xenclient/drivers/driver.h"
#include "xenclient/drivers/xl_parse.h"

#include <sys/types.h>

/* Everything checked before: op and uuid in text form, address without blanks or quotes. */
struct xl_job {
    enum xc_action action;
    char op[XC_UUID_TEXT];
    int64_t domid;             /* the living domain it is for; -1: none (start, create) */
    char uuid[XC_UUID_TEXT];   /* "" unknown: the name counts */
    const char *name;          /* raw octets, never NULL */
    char after[XC_UUID_TEXT];  /* start, create, reset: uuid the configuration gives; "" random */
    const char *after_name;    /* and its name; never NULL */
    const char *config;        /* path on the host; NULL: comes on stdin, or none */
    size_t content_size;       /* octets of configuration on stdin; 0: none */
    const char *save_dir;      /* of the source; never NULL, "" none */
    char label[XL_LABEL_SIZE]; /* suspend: the name as part of a save file's */
    const char *address;       /* migrate: what the host calls the destination */
    uint32_t amount;           /* MiB, vCPUs, weight, percent */
    char boot_id[40];          /* of the host when it was asked; "" unknown */
    unsigned limit_sec;        /* the job ends by itself after that */
};

/* Starts the job unless its fence is there, then reports. */
char *xl_job_launch(const struct xl_job *job);
/* Only reports. */
char *xl_job_query(const char *op);
/* A job that has not begun never will (it then reports cancelled); one that has goes on. Then reports. */
char *xl_job_forbid(const char *op);
/* The same, and one that has begun is asked to end early. */
char *xl_job_cancel(const char *op);

enum xl_job_state {
    XL_JOB_ABSENT,   /* no fence: it did not begin since the host started */
    XL_JOB_STARTING, /* the fence is there, nobody has signed it yet */
    XL_JOB_RUNNING,
    XL_JOB_DONE,
    XL_JOB_DEAD, /* ended without saying how */
};

struct xl_report {
    enum xl_job_state state;
    char *boot_id;
    char *phase;
    enum xc_result result; /* DONE only */
    enum xc_cause cause;   /* NONE: to be found in err */
    int status;            /* exit status of xl */
    char *note;            /* the job's own words, "" none */
    char *err;             /* the end of what xl wrote to stderr */
};
void xl_report_clear(struct xl_report *report);
/* False: not a report (driverError). NULs in the text are overwritten. */
bool xl_report_parse(GString *text, struct xl_report *out, GError **error);

/* What a migration is doing, from xl's words; NULL: nothing known yet. Static. */
const char *xl_migrate_phase(const char *err);

/* Options of every ssh that one dom0 uses to reach another: no prompt, no trust on first use. */
#define XL_SSH_OPTIONS                                                                             \
    "-o BatchMode=yes -o StrictHostKeyChecking=yes -o ConnectTimeout=10 "                          \
    "-o ServerAliveInterval=5 -o ServerAliveCountMax=6"
