/* Budgets of time: waiting, ending early, running out. */
#include "xenclient/transport/deadline.h"
#include "xenclient/util/clock.h"
#include "xenclient/util/error.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static void test_zeroed(void)
{
    struct xc_call call = {0};

    /* Descriptor 0 belongs to the program, not to a call that was never initialised. */
    xc_call_deinit(&call);
    xc_call_deinit(&call);
    xc_call_cancel(&call);
    g_assert_cmpint(fcntl(0, F_GETFD), !=, -1);
}

static void test_runs_out(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    int fds[2];
    gint64 start = xc_clock_mono();

    g_assert_cmpint(pipe(fds), ==, 0);
    g_assert_true(xc_call_init(&call, 30 * 1000, NULL));
    g_assert_false(xc_call_wait(&call, fds[0], POLLIN, -1, "reading", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TIMED_OUT);
    g_assert_nonnull(strstr(error->message, "reading"));
    g_assert_cmpint(xc_clock_mono() - start, >=, 30 * 1000);
    g_assert_cmpint(xc_call_left(&call), ==, 0);
    g_assert_false(xc_call_check(&call, "reading", NULL));
    xc_call_restart(&call, 10 * XC_USEC_PER_SEC);
    g_assert_true(xc_call_check(&call, "reading", NULL));
    g_assert_cmpint(xc_call_left(&call), >, 9 * XC_USEC_PER_SEC);
    xc_call_deinit(&call);
    close(fds[0]);
    close(fds[1]);
}

/* Data that are always there must not keep a call alive past its end. */
static void test_ready_descriptor(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    int fds[2];

    g_assert_cmpint(pipe(fds), ==, 0);
    g_assert_cmpint(write(fds[1], "x", 1), ==, 1);
    g_assert_true(xc_call_init(&call, 10 * XC_USEC_PER_SEC, NULL));
    g_assert_true(xc_call_wait(&call, fds[0], POLLIN, -1, "reading", NULL));
    xc_call_restart(&call, -5);
    g_assert_false(xc_call_wait(&call, fds[0], POLLIN, -1, "reading", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_TIMED_OUT);
    g_clear_error(&error);
    xc_call_restart(&call, 10 * XC_USEC_PER_SEC);
    xc_call_cancel(&call);
    g_assert_false(xc_call_wait(&call, fds[0], POLLIN, -1, "reading", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_CANCELLED);
    g_clear_error(&error);
    xc_call_deinit(&call);
    close(fds[0]);
    close(fds[1]);
    g_assert_true(xc_call_init(&call, XC_USEC_PER_SEC, NULL));
    g_assert_false(xc_call_wait(&call, 1 << 20, POLLIN, -1, "reading", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_INTERNAL);
    xc_call_deinit(&call);
}

static void test_sleep(void)
{
    struct xc_call call;
    gint64 start = xc_clock_mono();

    g_assert_true(xc_call_init(&call, 10 * XC_USEC_PER_SEC, NULL));
    g_assert_true(xc_call_wait(&call, -1, 0, 20 * 1000, "pausing", NULL));
    g_assert_cmpint(xc_clock_mono() - start, >=, 20 * 1000);
    g_assert_true(xc_call_wait(&call, -1, 0, 0, "pausing", NULL));
    xc_call_deinit(&call);
}

static gpointer cancel_soon(gpointer data)
{
    g_usleep(20 * 1000);
    xc_call_cancel(data);
    return NULL;
}

static void test_cancel_from_elsewhere(void)
{
    g_autoptr(GError) error = NULL;
    struct xc_call call;
    GThread *thread;
    gint64 start = xc_clock_mono();

    g_assert_true(xc_call_init(&call, 60 * XC_USEC_PER_SEC, NULL));
    thread = g_thread_new("cancel", cancel_soon, &call);
    g_assert_false(xc_call_wait(&call, -1, 0, -1, "pausing", &error));
    g_assert_error(error, XC_ERROR, XC_CAUSE_CANCELLED);
    g_assert_cmpint(xc_clock_mono() - start, <, 30 * XC_USEC_PER_SEC);
    g_thread_join(thread);
    xc_call_deinit(&call);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/deadline/zeroed", test_zeroed);
    g_test_add_func("/deadline/runs-out", test_runs_out);
    g_test_add_func("/deadline/ready-descriptor", test_ready_descriptor);
    g_test_add_func("/deadline/sleep", test_sleep);
    g_test_add_func("/deadline/cancel-from-elsewhere", test_cancel_from_elsewhere);
    return g_test_run();
}
