/* snmpd's users: createUser lines, and the usmUser lines that snmpd makes of them. */
#include "tools/xenctl/snmpd_users.h"

#include <string.h>

/* Protocols as createUser names them, and as the last two numbers of usmUser's. */
static const struct {
    const char *word;
    const char *what;
} weak[] = {
    {"MD5", "MD5"},
    {"DES", "DES"},
    {".1.3.6.1.6.3.10.1.1.1", "no authentication"},
    {".1.3.6.1.6.3.10.1.1.2", "MD5"},
    {".1.3.6.1.6.3.10.1.2.1", "no encryption"},
    {".1.3.6.1.6.3.10.1.2.2", "DES"},
};

static void user_free(gpointer data)
{
    struct snmpd_user *user = data;

    g_free(user->name);
    g_free(user);
}

/* "name", or 0x6e616d6500 as snmpd writes it where it has other octets than letters. */
static char *plain_name(const char *word)
{
    size_t length = strlen(word);
    GString *out = g_string_new(NULL);

    if (g_str_has_prefix(word, "0x")) {
        for (size_t i = 2; i + 1 < length; i += 2) {
            int octet = g_ascii_xdigit_value(word[i]) * 16 + g_ascii_xdigit_value(word[i + 1]);

            if (octet > 0)
                g_string_append_c(out, (char)octet);
        }
    } else if (length >= 2 && word[0] == '"' && word[length - 1] == '"') {
        g_string_append_len(out, word + 1, (gssize)length - 2);
    } else {
        g_string_append(out, word);
    }
    return g_string_free(out, FALSE);
}

static const char *weakness(const struct snmpd_line *line, unsigned from)
{
    for (unsigned i = from; i < line->n_words; i++)
        for (size_t w = 0; w < G_N_ELEMENTS(weak); w++)
            if (g_ascii_strcasecmp(line->words[i], weak[w].word) == 0)
                return weak[w].what;
    return NULL;
}

/* createUser [-e ENGINE] NAME AUTH "..." PRIV "..."; usmUser STATUS STORAGE ENGINE NAME ... */
GPtrArray *snmpd_users(const struct snmpd_lines *lines)
{
    GPtrArray *users = g_ptr_array_new_with_free_func(user_free);

    for (unsigned i = 0; i < snmpd_lines_count(lines); i++) {
        const struct snmpd_line *line = snmpd_line_at(lines, i);
        unsigned at = g_str_equal(snmpd_line_word(line, 0), "-e") ? 2 : 0;
        struct snmpd_user *user;

        if (snmpd_line_is(line, "usmUser"))
            at = 3;
        else if (!snmpd_line_is(line, "createUser"))
            continue;
        user = g_new0(struct snmpd_user, 1);
        user->name = plain_name(snmpd_line_word(line, at));
        user->line = line;
        user->weak = weakness(line, at + 1);
        g_ptr_array_add(users, user);
    }
    return users;
}

const struct snmpd_user *snmpd_users_find(const GPtrArray *users, const char *name)
{
    for (unsigned i = 0; i < users->len; i++) {
        const struct snmpd_user *user = g_ptr_array_index(users, i);

        if (g_str_equal(user->name, name))
            return user;
    }
    return NULL;
}
