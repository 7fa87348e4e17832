/* Records of tasks, and sets of texts. */
#include "xenclient/drivers/xapi_task.h"

#include "xenclient/util/clock.h"

#include <string.h>

#define WORDS_MAX   32
#define WORD_OCTETS 1024
#define TEXTS_MAX   1024

enum { STATUS, PROGRESS, CREATED, ALLOWED, ERROR_INFO, OTHER };
static const struct {
    const char *name;
    const char *kind;
} members[] = {
    [STATUS] = {"status", "text"},          [PROGRESS] = {"progress", "double"},
    [CREATED] = {"created", "time"},        [ALLOWED] = {"allowed_operations", "texts"},
    [ERROR_INFO] = {"error_info", "texts"},
};
static const struct {
    const char *name;
    enum xapi_task_status status;
} statuses[] = {
    {"pending", XAPI_TASK_PENDING},     {"success", XAPI_TASK_SUCCESS},
    {"failure", XAPI_TASK_FAILURE},     {"cancelling", XAPI_TASK_CANCELLING},
    {"cancelled", XAPI_TASK_CANCELLED},
};

void xapi_task_init(struct xapi_task *task)
{
    *task = (struct xapi_task){.percent = -1, .words = g_ptr_array_new_with_free_func(g_free)};
}

void xapi_task_clear(struct xapi_task *task)
{
    g_clear_pointer(&task->words, g_ptr_array_unref);
}

bool xapi_task_is_over(enum xapi_task_status status)
{
    return status == XAPI_TASK_SUCCESS || status == XAPI_TASK_FAILURE ||
           status == XAPI_TASK_CANCELLED;
}

static bool wants(unsigned depth, const char *name, void *data)
{
    struct xapi_task *task = data;

    if (depth == 1) {
        task->member = 0;
        while (task->member < OTHER && strcmp(members[task->member].name, name) != 0)
            task->member++;
    }
    return depth == 0 || (depth <= 2 && task->member != OTHER);
}

static void take_status(struct xapi_task *task, const char *text)
{
    task->status = XAPI_TASK_UNKNOWN;
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        if (strcmp(statuses[i].name, text) == 0)
            task->status = statuses[i].status;
}

static void take_member(struct xapi_task *task, const struct xc_xmlrpc_value *value)
{
    double part;
    gint64 time;

    switch (task->member) {
    case STATUS:
        take_status(task, value->text);
        break;
    case PROGRESS:
        task->percent =
            xc_xmlrpc_double(value, &part) && part >= 0 && part <= 1 ? (int)(part * 100) : -1;
        break;
    case CREATED:
        task->created = xc_xmlrpc_date(value, &time) ? time / XC_USEC_PER_SEC : 0;
        break;
    default:
        break;
    }
}

static bool take(const struct xc_xmlrpc_value *value, void *data)
{
    struct xapi_task *task = data;

    if (value->depth == 0)
        return value->kind == XC_XMLRPC_STRUCT || value->kind == XC_XMLRPC_END;
    if (value->kind >= XC_XMLRPC_STRUCT)
        return true;
    if (value->depth == 1)
        take_member(task, value);
    else if (task->member == ALLOWED)
        task->may_cancel = task->may_cancel || strcmp(value->text, "cancel") == 0;
    else if (task->member == ERROR_INFO && task->words->len < WORDS_MAX)
        g_ptr_array_add(task->words, g_strndup(value->text, WORD_OCTETS));
    return true;
}

const struct xc_xmlrpc_sink xapi_task_sink = {wants, take};

char *xapi_task_text(void)
{
    GString *out = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        g_string_append_printf(out, "field\ttask\t%s\t%s\t\n", members[i].name, members[i].kind);
    for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
        g_string_append_printf(out, "status\t%s\n", statuses[i].name);
    return g_string_free(out, FALSE);
}

static bool take_text(const struct xc_xmlrpc_value *value, void *data)
{
    GPtrArray *texts = data;

    if (value->depth == 0)
        return value->kind == XC_XMLRPC_ARRAY || value->kind == XC_XMLRPC_END;
    if (value->depth > 1 || value->kind >= XC_XMLRPC_STRUCT || texts->len == TEXTS_MAX)
        return false;
    g_ptr_array_add(texts, g_strdup(value->text));
    return true;
}

const struct xc_xmlrpc_sink xapi_texts_sink = {NULL, take_text};
