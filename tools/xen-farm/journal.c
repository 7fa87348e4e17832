/* The farm's memory across its own death: one line per begin and end of an execution, appended.
 *
 *   begin UUID ACTION
 *   end UUID RESULT CAUSE STATE HOST TEXT      (HOST "-": none)
 *
 * A killed farm loses at most its last line, and a line that was cut short is passed over. */
#include "tools/xen-farm/server.h"

#include "xenclient/util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct farm_journal {
    int fd;
};

/* What the file says of one execution. */
struct entry {
    struct xc_uuid uuid;
    enum xc_action action;
    bool ended;
    struct xc_outcome outcome;
    enum xc_domain_state state;
    char *where;
};

static void free_entry(gpointer data)
{
    struct entry *entry = data;

    xc_outcome_clear(&entry->outcome);
    g_free(entry->where);
    g_free(entry);
}

static void read_begin(GPtrArray *entries, GHashTable *open, char **words)
{
    int action = xc_enum_number(&xc_action_labels, words[2]);
    struct entry *entry;
    struct xc_uuid uuid;

    if (!action || !xc_uuid_parse(words[1], &uuid))
        return;
    entry = g_new0(struct entry, 1);
    entry->uuid = uuid;
    entry->action = (enum xc_action)action;
    g_ptr_array_add(entries, entry);
    g_hash_table_replace(open, g_strdup(words[1]), entry);
}

static void read_end(GHashTable *open, char **words)
{
    struct entry *entry = g_hash_table_lookup(open, words[1]);
    int result = xc_enum_number(&xc_result_labels, words[2]);
    int cause = xc_enum_number(&xc_cause_labels, words[3]);
    int state = xc_enum_number(&xc_domain_state_labels, words[4]);

    if (!entry || entry->ended || !result || !cause || !state)
        return;
    entry->ended = true;
    entry->state = (enum xc_domain_state)state;
    entry->where = g_strdup(strcmp(words[5], "-") == 0 ? "" : words[5]);
    xc_outcome_set(&entry->outcome, (enum xc_result)result, (enum xc_cause)cause, "%s", words[6]);
}

static void replay(const char *text, struct farm_fleet *fleet)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func(free_entry);
    g_autoptr(GHashTable) open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit(*line, " ", 7);

        if (g_strv_length(words) == 3 && strcmp(words[0], "begin") == 0)
            read_begin(entries, open, words);
        else if (g_strv_length(words) == 7 && strcmp(words[0], "end") == 0)
            read_end(open, words);
    }
    for (guint i = 0; i < entries->len; i++) {
        const struct entry *entry = g_ptr_array_index(entries, i);

        farm_op_remember(fleet, &entry->uuid, entry->action, entry->ended ? &entry->outcome : NULL,
                         entry->state, entry->where);
    }
}

struct farm_journal *farm_journal_open(const char *path, struct farm_fleet *fleet, GError **error)
{
    g_autofree char *text = NULL;
    struct farm_journal *journal;
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        xc_fail(error, XC_CAUSE_BAD_VALUE, "journal %s: %s", path, g_strerror(errno));
        return NULL;
    }
    if (g_file_get_contents(path, &text, NULL, NULL))
        replay(text, fleet);
    fleet->remembers = true;
    journal = g_new0(struct farm_journal, 1);
    journal->fd = fd;
    return journal;
}

void *farm_journal_close(struct farm_journal *journal)
{
    if (journal)
        close(journal->fd);
    g_free(journal);
    return NULL;
}

/* A line that can't be written is a lie about what was begun: better no farm at all. */
static void append(const struct farm_journal *journal, const char *line)
{
    size_t length = strlen(line);

    if (write(journal->fd, line, length) != (ssize_t)length)
        g_error("the journal can't be written: %s", g_strerror(errno));
}

void farm_journal_begun(struct farm_journal *journal, const struct farm_op *op)
{
    char uuid[XC_UUID_TEXT];
    g_autofree char *line = NULL;

    xc_uuid_format(&op->uuid, uuid);
    line =
        g_strdup_printf("begin %s %s\n", uuid, xc_enum_label(&xc_action_labels, (int)op->action));
    append(journal, line);
}

void farm_journal_ended(struct farm_journal *journal, const struct farm_op *op)
{
    char uuid[XC_UUID_TEXT];
    g_autofree char *line = NULL;

    xc_uuid_format(&op->uuid, uuid);
    line = g_strdup_printf("end %s %s %s %s %s %s\n", uuid,
                           xc_enum_label(&xc_result_labels, (int)op->outcome.result),
                           xc_enum_label(&xc_cause_labels, (int)op->outcome.cause),
                           xc_enum_label(&xc_domain_state_labels, (int)op->state),
                           *op->where ? op->where : "-", op->outcome.text ? op->outcome.text : "");
    append(journal, line);
}
