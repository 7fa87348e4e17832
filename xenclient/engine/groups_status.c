/* What groups are made of now, and how they fare. */
#include "xenclient/engine/private.h"

void xc_group_refresh(struct xc_engine *engine, struct xc_group *group)
{
    (void)engine;
    g_array_set_size(group->members, 0);
    for (guint i = 0; i < group->spec->members->len; i++) {
        const struct xc_member member = {
            .spec = group->spec->members->pdata[i],
            .cause = XC_CAUSE_NO_SUCH_TARGET,
            .state = XC_STATE_UNKNOWN,
            .last_cause = XC_CAUSE_NONE,
        };

        g_array_append_val(group->members, member);
    }
}
