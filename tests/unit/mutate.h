/* Seeded damage for readers: the same every time, so a failure can be repeated from its number. */
#pragma once

#include <glib.h>
#include <string.h>

static inline unsigned fuzz_number(const char *name, unsigned otherwise)
{
    const char *text = g_getenv(name);
    guint64 value = otherwise;

    if (text && !g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT32, &value, NULL))
        g_error("%s=%s is not a number", name, text);
    return (unsigned)value;
}

/* How often to damage what is read; `make fuzz` says more often. */
static inline unsigned fuzz_rounds(void)
{
    return fuzz_number("FUZZ_ROUNDS", 20000);
}

/* Which damage. */
static inline unsigned fuzz_seed(void)
{
    return fuzz_number("FUZZ_SEED", 4177);
}

/* Changes 1 to 4 places of a copy: flips a bit, sets an interesting octet, cuts, doubles or removes a part. */
static inline GByteArray *mutate(const guint8 *data, guint length, GRand *rand)
{
    static const guint8 interesting[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0xc0, 0xed, 0x20};
    GByteArray *out = g_byte_array_new();
    int changes = g_rand_int_range(rand, 1, 5);

    g_byte_array_append(out, data, length);
    while (changes-- > 0 && out->len > 0) {
        guint at = (guint)g_rand_int_range(rand, 0, (gint32)out->len);
        guint n = (guint)g_rand_int_range(rand, 1, 9);

        n = MIN(n, out->len - at);
        switch (g_rand_int_range(rand, 0, 5)) {
        case 0:
            out->data[at] ^= (guint8)(1u << g_rand_int_range(rand, 0, 8));
            break;
        case 1:
            out->data[at] = interesting[g_rand_int_range(rand, 0, G_N_ELEMENTS(interesting))];
            break;
        case 2:
            g_byte_array_set_size(out, at);
            break;
        case 3: {
            g_autoptr(GBytes) part = g_bytes_new(out->data + at, n);

            g_byte_array_append(out, g_bytes_get_data(part, NULL), n);
            break;
        }
        default:
            g_byte_array_remove_range(out, at, n);
        }
    }
    return out;
}
