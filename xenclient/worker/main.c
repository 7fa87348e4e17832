/* xensnmpd-worker: the program that runs drivers. xensnmpd starts it; nobody else has a use for it. Apart from the front, so
 * that the process which answers SNMP has none of the libraries by which hypervisors are talked to. */
#include "xenclient/util/log.h"
#include "xenclient/util/text.h"
#include "xenclient/worker/worker.h"

#include <stdlib.h>

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    uint64_t fd = 0;
    const char *log_file = getenv(XC_LOG_FILE_VARIABLE);

    if (argc != 3 || g_strcmp0(argv[1], "--worker") != 0 ||
        !xc_text_to_u64(argv[2], 0, G_MAXINT, &fd, &error)) {
        g_printerr(
            "xensnmpd-worker: xensnmpd starts this program by itself; it is of no use alone\n");
        return EXIT_FAILURE;
    }
    if (log_file && !xc_log_to_file(log_file, &error))
        xc_log(XC_LOG_WARNING, "%s", error->message);
    return xc_worker_main((int)fd);
}
