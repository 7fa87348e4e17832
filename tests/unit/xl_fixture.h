/* Reads the recorded answers in tests/fixtures/xl, and damages them by a seed. */
#pragma once

#include <glib.h>

#define XL_NONCE "0123456789abcdef0123456789abcdef"

static inline char *xl_fixture(const char *name, size_t *length)
{
    g_autofree char *path = g_build_filename("tests", "fixtures", "xl", name, NULL);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    gsize n = 0;

    if (!g_file_get_contents(path, &text, &n, &error))
        g_error("%s (run from the top of the tree)", error->message);
    if (length)
        *length = n;
    return text;
}

/* One of several kinds of damage at a random place: octets changed, cut out, doubled, moved,
 * replaced by numbers that overflow or by markers. Newly allocated. */
static inline GString *xl_damage(const char *text, size_t length, GRand *rand)
{
    static const char list_mark[] = "\n#" XL_NONCE " list 0\n";
    static const char end_mark[] = "\n#" XL_NONCE " end\n";
    static const char *const words[] = {
        list_mark, end_mark, "\n", ":",  "\"",   " = \"", "\xff\xfe", "99999999999999999999",
        "-1",      "/",      "[",  "\\", "%s%n", "\r",
    };
    GString *out = g_string_new_len(text, (gssize)length);
    int times = g_rand_int_range(rand, 1, 6);

    for (int i = 0; i < times && out->len > 2; i++) {
        gsize at = (gsize)g_rand_int_range(rand, 0, (gint32)out->len);
        gsize n = (gsize)g_rand_int_range(rand, 1, 200);

        n = MIN(n, out->len - at);
        switch (g_rand_int_range(rand, 0, 6)) {
        case 0:
            out->str[at] = (char)g_rand_int_range(rand, 0, 256);
            break;
        case 1:
            g_string_erase(out, (gssize)at, (gssize)n);
            break;
        case 2: {
            g_autofree char *piece = g_strndup(out->str + at, n);

            g_string_insert(out, g_rand_int_range(rand, 0, (gint32)out->len), piece);
            break;
        }
        case 3:
            g_string_insert(out, (gssize)at,
                            words[g_rand_int_range(rand, 0, (gint32)G_N_ELEMENTS(words))]);
            break;
        case 4:
            g_string_truncate(out, at);
            break;
        default:
            out->str[at] ^= (char)(1 << g_rand_int_range(rand, 0, 8));
        }
    }
    return out;
}
