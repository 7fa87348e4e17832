/* decode: what one answer of event.from that holds all of a large pool's VMs takes to read, by the driver's way into its
 * mirror and by xmlrpc-c's decoder, of which the tree is not even looked at.
 *
 *   decode ours|xmlrpc-c COUNT <EVENT
 *       EVENT is one event of a VM as XAPI writes it, @@@@@@@@ where its number belongs. Prints the octets of the
 *       answer, the seconds of processor that reading it took, and the octets of memory it took at most besides the
 *       answer itself. */
#include "xenclient/drivers/xapi_call.h"
#include "xenclient/drivers/xapi_mirror.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xmlrpc-c/base.h>

#define MARK      "@@@@@@@@"
#define COUNT_MAX 100000
/* What one record of TLS holds: so much the driver is given at once. */
#define PIECE      16384
#define EVENT_MAX  65536
#define ANSWER_MAX ((size_t)1 << 30)

static const char head[] =
    "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct>"
    "<member><name>Status</name><value>Success</value></member>"
    "<member><name>Value</name><value><struct><member><name>events</name><value><array><data>";
static const char foot[] =
    "</data></array></value></member>"
    "<member><name>token</name><value>00000000000000000001,00000000000000000000</value></member>"
    "</struct></value></member></struct></value></param></params></methodResponse>";

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "decode: %s: %s\n", what, why);
    exit(1);
}

/* --- the answer */

static char *read_event(void)
{
    char *event = g_malloc0(EVENT_MAX);
    size_t length = fread(event, 1, EVENT_MAX - 1, stdin);

    if (length == 0 || !strstr(event, MARK))
        fail("the event", "it is read from standard input, and holds " MARK);
    return event;
}

/* Made in one piece, so that nothing of the making is left when the reading begins. */
static char *make_answer(const char *event, unsigned count, size_t *length)
{
    size_t each = strlen(event);
    char *answer = g_malloc(strlen(head) + count * each + sizeof(foot));
    char *to = answer + strlen(head);

    memcpy(answer, head, strlen(head));
    for (unsigned i = 0; i < count; i++, to += each) {
        char number[sizeof(MARK)];
        char *at = to;

        g_snprintf(number, sizeof(number), "%08x", i + 1);
        memcpy(to, event, each);
        while ((at = memmem(at, (size_t)(to + each - at), MARK, strlen(MARK))))
            memcpy(at, number, strlen(MARK));
    }
    memcpy(to, foot, sizeof(foot));
    *length = (size_t)(to - answer) + strlen(foot);
    return answer;
}

/* --- who reads it: how many VMs were found */

static unsigned by_driver(const char *answer, size_t length)
{
    struct xapi_mirror *mirror = xapi_mirror_new();
    g_autoptr(xapi_batch) batch = xapi_batch_new();
    const struct xapi_want want = {&xapi_batch_sink, batch, ANSWER_MAX};
    g_autoptr(xapi_envelope) envelope = xapi_envelope_new(&want);
    g_autoptr(GPtrArray) words = NULL;
    g_autoptr(GError) error = NULL;
    bool changed = false;
    unsigned stale = 0;

    for (size_t at = 0; at < length; at += PIECE)
        if (!xapi_envelope_feed(answer + at, MIN(length - at, (size_t)PIECE), envelope, &error))
            fail("the driver", error->message);
    if (!xapi_envelope_end(envelope, &words, &error) ||
        !xapi_mirror_apply(mirror, batch, XAPI_ALL_CLASSES, XAPI_ALL_CLASSES, &changed, &stale,
                           &error))
        fail("the driver", error ? error->message : "it takes the answer for a refusal");
    /* The mirror is kept, as the driver keeps it. */
    return g_hash_table_size(mirror->objects[XAPI_VM]);
}

static xmlrpc_value *member(xmlrpc_env *env, xmlrpc_value *of, const char *name)
{
    xmlrpc_value *value = NULL;

    if (!env->fault_occurred)
        xmlrpc_struct_find_value(env, of, name, &value);
    return value;
}

static unsigned by_xmlrpc_c(const char *answer, size_t length)
{
    xmlrpc_value *result = NULL;
    const char *fault = NULL;
    int code = 0;
    int size = 0;
    xmlrpc_env env;

    xmlrpc_env_init(&env);
    xmlrpc_limit_set(XMLRPC_XML_SIZE_LIMIT_ID, ANSWER_MAX);
    xmlrpc_parse_response2(&env, answer, length, &result, &code, &fault);
    if (!env.fault_occurred && result) {
        xmlrpc_value *value = member(&env, result, "Value");
        xmlrpc_value *events = value ? member(&env, value, "events") : NULL;

        size = events ? xmlrpc_array_size(&env, events) : 0;
    }
    if (env.fault_occurred)
        fail("xmlrpc-c", env.fault_string);
    return (unsigned)size;
}

static const struct {
    const char *name;
    unsigned (*read)(const char *answer, size_t length);
} readers[] = {{"ours", by_driver}, {"xmlrpc-c", by_xmlrpc_c}};

/* --- what it took */

static double processor_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The most memory that this process ever had. getrusage() also counts what the parent had before it started us. */
static uint64_t most_resident(void)
{
    g_autofree char *status = NULL;
    const char *line = NULL;

    if (!g_file_get_contents("/proc/self/status", &status, NULL, NULL) ||
        !(line = strstr(status, "VmHWM:")))
        fail("/proc/self/status", "it does not tell the most memory");
    return g_ascii_strtoull(line + strlen("VmHWM:"), NULL, 10) * 1024;
}

int main(int argc, char **argv)
{
    uint64_t count = argc == 3 ? g_ascii_strtoull(argv[2], NULL, 10) : 0;
    size_t i = 0;

    while (argc == 3 && i < G_N_ELEMENTS(readers) && strcmp(readers[i].name, argv[1]) != 0)
        i++;
    if (count < 1 || count > COUNT_MAX || i == G_N_ELEMENTS(readers)) {
        fprintf(stderr, "decode ours|xmlrpc-c COUNT <EVENT\n");
        return 2;
    }
    g_autofree char *event = read_event();
    size_t length = 0;
    g_autofree char *answer = make_answer(event, (unsigned)count, &length);
    uint64_t before = most_resident();
    double began = processor_seconds();
    unsigned found = readers[i].read(answer, length);
    double took = processor_seconds() - began;

    if (found != count)
        fail(argv[1], "it did not find each of the VMs");
    printf("%zu %.6f %" PRIu64 "\n", length, took, most_resident() - before);
    return 0;
}
