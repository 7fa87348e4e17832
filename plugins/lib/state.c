/* The four states of a check. */
#include "plugins/lib/state.h"

#include "xenclient/util/error.h"

static const struct {
    const char *label;
    unsigned rank;
} states[CHK_N_STATES] = {
    [CHK_OK] = {"OK", 0},
    [CHK_WARNING] = {"WARNING", 2},
    [CHK_CRITICAL] = {"CRITICAL", 3},
    [CHK_UNKNOWN] = {"UNKNOWN", 1},
};

const char *chk_state_label(enum chk_state state)
{
    return states[state].label;
}

unsigned chk_state_rank(enum chk_state state)
{
    return states[state].rank;
}

enum chk_state chk_state_worst(enum chk_state a, enum chk_state b)
{
    return states[b].rank > states[a].rank ? b : a;
}

bool chk_state_parse(const char *text, enum chk_state *out, GError **error)
{
    for (int i = 0; i < CHK_N_STATES; i++) {
        const char number[] = {(char)('0' + i), '\0'};
        const char letter[] = {states[i].label[0], '\0'};

        if (g_ascii_strcasecmp(text, states[i].label) == 0 ||
            g_ascii_strcasecmp(text, letter) == 0 || g_str_equal(text, number)) {
            *out = (enum chk_state)i;
            return true;
        }
    }
    return xc_fail(error, XC_CAUSE_BAD_VALUE, "%s: a state is ok, warning, critical or unknown",
                   text);
}
