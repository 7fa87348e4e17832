/* What the xapi driver asks of XAPI and reads, for xapi.t: a line each, its words parted by tabs.
 *
 *   call METHOD PARAMETERS           action NAME METHOD
 *   field CLASS NAME KIND MEMBER     operation, status, state and error NAME */
#include "xenclient/drivers/xapi_calls.h"
#include "xenclient/drivers/xapi_error.h"
#include "xenclient/drivers/xapi_orders.h"
#include "xenclient/drivers/xapi_task.h"

#include <stdio.h>

static void print_calls(void)
{
    for (size_t i = 0; i < xapi_n_calls; i++)
        printf("call\t%s\t%s\n", xapi_calls[i].method, xapi_calls[i].params);
}

/* As operations make it; with a host and without. False: it would be refused. */
static bool print_action(enum xc_action action, const char *host)
{
    const struct xapi_method *method = xapi_method_of(action);
    const struct xc_order order = {.action = action, .amount = 1, .live = true};
    g_autoptr(xapi_args) args = NULL;
    g_autoptr(GError) error = NULL;

    if (!method || (*host && !method->name_on))
        return true;
    args = xapi_method_args(method, "Async.", "OpaqueRef:vm", host, &order);
    if (!xapi_args_check(args, &error)) {
        fprintf(stderr, "%s\n", error->message);
        return false;
    }
    printf("action\t%s\t%s\n", xc_enum_label(&xc_action_labels, (int)action),
           xapi_args_method(args));
    if (method->end)
        printf("state\t%s\n", method->end);
    return true;
}

int main(void)
{
    g_autofree char *fields = xapi_fields_text();
    g_autofree char *task = xapi_task_text();
    bool ok = true;

    print_calls();
    /* A migration without a host is none. */
    for (int action = 0; action <= G_MAXUINT8; action++)
        ok = (action == XC_ACTION_MIGRATE || print_action((enum xc_action)action, "")) &&
             print_action((enum xc_action)action, "OpaqueRef:host") && ok;
    printf("%s%s", fields, task);
    for (unsigned i = 0; xapi_error_code(i); i++)
        printf("error\t%s\n", xapi_error_code(i));
    return ok ? 0 : 1;
}
