/* Comparing, copying and sending what an operator registers. */
#include "xenclient/model/source.h"

#include <string.h>

/* Bound of every text on a pipe; the owners of the columns allow less. */
#define WIRE_TEXT_MAX 4096

static const size_t texts[] = {
    offsetof(struct xc_source_spec, key),         offsetof(struct xc_source_spec, uri),
    offsetof(struct xc_source_spec, credential),  offsetof(struct xc_source_spec, address),
    offsetof(struct xc_source_spec, config_dirs), offsetof(struct xc_source_spec, save_dir),
};

static char **text_at(struct xc_source_spec *spec, size_t i)
{
    return (char **)(void *)((char *)spec + texts[i]);
}

static const char *const_text_at(const struct xc_source_spec *spec, size_t i)
{
    const char *text = *(const char *const *)(const void *)((const char *)spec + texts[i]);

    return text ? text : "";
}

const char *xc_source_config_dirs(const struct xc_source_spec *spec)
{
    return *spec->config_dirs ? spec->config_dirs : "/etc/xen";
}

bool xc_source_spec_equal(const struct xc_source_spec *a, const struct xc_source_spec *b)
{
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(const_text_at(a, i), const_text_at(b, i)) != 0)
            return false;
    return a->tls_insecure == b->tls_insecure;
}

void xc_source_spec_copy(struct xc_source_spec *to, const struct xc_source_spec *from)
{
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        *text_at(to, i) = g_strdup(const_text_at(from, i));
    to->tls_insecure = from->tls_insecure;
}

void xc_source_spec_clear(struct xc_source_spec *spec)
{
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_clear_pointer(text_at(spec, i), g_free);
}

void xc_source_spec_write(const struct xc_source_spec *spec, GByteArray *to)
{
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        xc_put_text(to, const_text_at(spec, i));
    xc_put_u8(to, spec->tls_insecure);
}

void xc_source_spec_read(struct xc_source_spec *spec, struct xc_reader *from)
{
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        *text_at(spec, i) = xc_get_text(from, WIRE_TEXT_MAX);
    spec->tls_insecure = xc_get_flag(from);
}
