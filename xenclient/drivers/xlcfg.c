/* Lexer and parser of xl.cfg. Follows Xen's own scanner to the letter, so that a file is refused
 * here when and only when xl would refuse it; the exceptions are noted where they are. */
#include "xenclient/drivers/xlcfg.h"

#include "xenclient/util/error.h"
#include "xenclient/util/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum token {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_ATOM, /* string or number */
    TOKEN_NEWLINE,
    TOKEN_SEMICOLON,
    TOKEN_COMMA,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_ASSIGN,
    TOKEN_ADD,
    TOKEN_BAD, /* *parser->error is set */
};

static const char *const token_words[] = {
    "end of file", "a name", "a value", "end of line", "\";\"",   "\",\"",
    "\"[\"",       "\"]\"",  "\"=\"",   "\"+=\"",      "nothing",
};

struct parser {
    const char *at;
    const char *end;
    unsigned line;       /* of `at` */
    unsigned token_line; /* of the token */
    enum token token;
    GString *text; /* of NAME and ATOM */
    unsigned items;
    GError **error;
};

struct setting {
    struct xlcfg_value *value;
    GString *sum; /* grows under "+=", becomes the value's string at the end */
    bool added;   /* the last assignment was "+=": xl takes no number from it */
};

struct xlcfg {
    GHashTable *settings; /* char * -> struct setting * */
};

static void value_free(void *data)
{
    struct xlcfg_value *value = data;

    g_free(value->string);
    if (value->items)
        g_ptr_array_unref(value->items);
    g_free(value);
}

static void setting_free(void *data)
{
    struct setting *setting = data;

    value_free(setting->value);
    if (setting->sum)
        g_string_free(setting->sum, TRUE);
    g_free(setting);
}

/* --- lexer */

static bool fail_at(struct parser *p, unsigned line, const char *what)
{
    p->token_line = line;
    xc_fail(p->error, XC_CAUSE_BAD_CONFIG, "line %u: %s", line, what);
    return false;
}

static enum token bad(struct parser *p, const char *what)
{
    fail_at(p, p->line, what);
    return TOKEN_BAD;
}

static bool is_name_char(char c)
{
    return g_ascii_islower(c) || g_ascii_isdigit(c) || c == '.' || c == '_';
}

static bool is_number_char(char c)
{
    return g_ascii_isdigit(c) || (c >= 'a' && c <= 'f') || c == 'x';
}

static enum token take_word(struct parser *p, bool (*belongs)(char), enum token token)
{
    const char *from = p->at;

    while (p->at < p->end && belongs(*p->at))
        p->at++;
    g_string_truncate(p->text, 0);
    g_string_append_len(p->text, from, p->at - from);
    return token;
}

/* \xHH and \ooo mean the byte that their author meant. Xen 4.17 refuses the first form and drops
 * the second, by two slips in its scanner; no file that works depends on that. */
static bool take_numeric(struct parser *p, unsigned base, unsigned max_digits)
{
    unsigned value = 0;
    unsigned digits = 0;

    while (digits < max_digits && p->at < p->end) {
        int digit = g_ascii_xdigit_value(*p->at);

        if (digit < 0 || (unsigned)digit >= base)
            break;
        value = value * base + (unsigned)digit;
        p->at++;
        digits++;
    }
    if (digits == 0 || (base == 16 && digits != max_digits))
        return fail_at(p, p->line, "\\x in a string needs two hexadecimal digits");
    if (value == 0 || value > 255)
        return fail_at(p, p->line, "a numeric escape in a string is not in 1..255");
    g_string_append_c(p->text, (char)value);
    return true;
}

static bool take_escape(struct parser *p)
{
    static const char from[] = "abfnrtv'\"\\";
    static const char to[] = "\a\b\f\n\r\t\v'\"\\";
    char c = *p->at;
    const char *found = c ? strchr(from, c) : NULL;

    if (found) {
        g_string_append_c(p->text, to[found - from]);
        p->at++;
        return true;
    }
    if (c == 'x') {
        p->at++;
        return take_numeric(p, 16, 2);
    }
    if (c >= '0' && c <= '7')
        return take_numeric(p, 8, 3);
    return fail_at(p, p->line, "unknown character after \\ in a string");
}

static enum token take_string(struct parser *p)
{
    char quote = *p->at++;

    g_string_truncate(p->text, 0);
    while (p->at < p->end && *p->at != quote) {
        char c = *p->at++;

        if (c == '\n' || (c == '\\' && (p->at == p->end || *p->at == '\n')))
            return bad(p, "a string is not closed on its line");
        if (c != '\\')
            g_string_append_c(p->text, c);
        else if (!take_escape(p))
            return TOKEN_BAD;
    }
    if (p->at == p->end)
        return bad(p, "a string is not closed on its line");
    p->at++;
    return TOKEN_ATOM;
}

/* A comment ends with a newline: at the very end of the file, without one, xl refuses it too. */
static enum token take_comment(struct parser *p)
{
    const char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));

    if (!newline)
        return bad(p, "the comment in the last line has no line end, which xl refuses; add one");
    p->at = newline + 1;
    p->line++;
    return TOKEN_NEWLINE;
}

static enum token take_other(struct parser *p)
{
    static const struct {
        char c;
        enum token token;
    } single[] = {{',', TOKEN_COMMA},
                  {'[', TOKEN_OPEN},
                  {']', TOKEN_CLOSE},
                  {'=', TOKEN_ASSIGN},
                  {';', TOKEN_SEMICOLON}};

    for (size_t i = 0; i < G_N_ELEMENTS(single); i++)
        if (*p->at == single[i].c) {
            p->at++;
            return single[i].token;
        }
    if (*p->at == '+' && p->end - p->at > 1 && p->at[1] == '=') {
        p->at += 2;
        return TOKEN_ADD;
    }
    if (*p->at == '\r')
        return bad(p, "a carriage return (line ends of DOS), which xl refuses; remove it");
    if (strchr("+-.():", *p->at))
        return bad(p, "not the syntax of xl.cfg; it looks like Python, which xl does not know");
    if (g_ascii_isupper(*p->at))
        return bad(p, "names of settings are written in lower case");
    return bad(p, "a character that may not stand outside of a string");
}

/* Xen's scanner overlooks one wrong character when it is the last octet of the file. */
static bool is_overlooked(const struct parser *p)
{
    return p->end - p->at == 1 && !g_ascii_islower(*p->at) && !g_ascii_isdigit(*p->at) &&
           !strchr("\n,[]=;", *p->at);
}

static enum token scan(struct parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t'))
        p->at++;
    p->token_line = p->line;
    if (p->at == p->end || is_overlooked(p))
        return TOKEN_END;
    if (g_ascii_islower(*p->at))
        return take_word(p, is_name_char, TOKEN_NAME);
    if (g_ascii_isdigit(*p->at))
        return take_word(p, is_number_char, TOKEN_ATOM);
    if (*p->at == '\n') {
        p->at++;
        p->line++;
        return TOKEN_NEWLINE;
    }
    if (*p->at == '#')
        return take_comment(p);
    if (*p->at == '"' || *p->at == '\'')
        return take_string(p);
    return take_other(p);
}

static bool next(struct parser *p)
{
    p->token = scan(p);
    return p->token != TOKEN_BAD;
}

/* --- parser */

static bool expected(struct parser *p, const char *what)
{
    g_autofree char *text = g_strdup_printf("%s where %s is expected", token_words[p->token], what);

    return fail_at(p, p->token_line, text);
}

static bool skip_newlines(struct parser *p)
{
    while (p->token == TOKEN_NEWLINE)
        if (!next(p))
            return false;
    return true;
}

static struct xlcfg_value *take_value(struct parser *p, unsigned depth);

/* After "[". Newlines may stand around every item and every comma, but not in front of a comma that
 * nothing precedes; one comma may trail. */
static bool take_items(struct parser *p, struct xlcfg_value *list, unsigned depth)
{
    if (!next(p) || !skip_newlines(p))
        return false;
    while (p->token != TOKEN_CLOSE) {
        struct xlcfg_value *item;

        if (++p->items > XLCFG_MAX_ITEMS)
            return fail_at(p, p->token_line, "too many items in lists");
        item = take_value(p, depth + 1);
        if (!item)
            return false;
        g_ptr_array_add(list->items, item);
        if (!skip_newlines(p))
            return false;
        if (p->token == TOKEN_COMMA) {
            if (!next(p) || !skip_newlines(p))
                return false;
        } else if (p->token != TOKEN_CLOSE) {
            return expected(p, "\",\" or \"]\"");
        }
    }
    return next(p);
}

/* A value and the token behind it; NULL after an error. */
static struct xlcfg_value *take_value(struct parser *p, unsigned depth)
{
    struct xlcfg_value *value;
    bool ok;

    if (p->token != TOKEN_ATOM && p->token != TOKEN_OPEN) {
        expected(p, "a string, a number or \"[\"");
        return NULL;
    }
    if (depth > XLCFG_MAX_DEPTH) {
        fail_at(p, p->token_line, "lists are nested too deep");
        return NULL;
    }
    value = g_new0(struct xlcfg_value, 1);
    value->line = p->token_line;
    if (p->token == TOKEN_ATOM) {
        value->kind = XLCFG_STRING;
        value->string = g_strndup(p->text->str, p->text->len);
        ok = next(p);
    } else {
        value->kind = XLCFG_LIST;
        value->items = g_ptr_array_new_with_free_func(value_free);
        ok = take_items(p, value, depth);
    }
    if (!ok)
        g_clear_pointer(&value, value_free);
    return value;
}

static bool add(struct parser *p, struct setting *to, struct xlcfg_value *more)
{
    unsigned line = more->line;

    if (to->value->kind != more->kind) {
        value_free(more);
        return fail_at(p, line, "\"+=\" adds a list to a string or the other way round");
    }
    if (more->kind == XLCFG_LIST) {
        g_ptr_array_extend_and_steal(to->value->items, g_steal_pointer(&more->items));
    } else {
        if (!to->sum)
            to->sum = g_string_new(to->value->string);
        g_string_append(to->sum, more->string);
    }
    to->value->line = line;
    to->added = true;
    value_free(more);
    return true;
}

static bool store(struct parser *p, struct xlcfg *config, const char *name, bool adds,
                  struct xlcfg_value *value)
{
    struct setting *setting = adds ? g_hash_table_lookup(config->settings, name) : NULL;

    if (setting)
        return add(p, setting, value);
    setting = g_new0(struct setting, 1);
    setting->value = value;
    setting->added = adds;
    g_hash_table_replace(config->settings, g_strdup(name), setting);
    return true;
}

static bool take_assignment(struct parser *p, struct xlcfg *config)
{
    g_autofree char *name = g_strndup(p->text->str, p->text->len);
    struct xlcfg_value *value;
    bool adds;

    if (!next(p))
        return false;
    if (p->token != TOKEN_ASSIGN && p->token != TOKEN_ADD)
        return expected(p, "\"=\" or \"+=\"");
    adds = p->token == TOKEN_ADD;
    if (!next(p))
        return false;
    value = take_value(p, 0);
    if (!value || !store(p, config, name, adds, value))
        return false;
    if (p->token != TOKEN_NEWLINE && p->token != TOKEN_SEMICOLON && p->token != TOKEN_END)
        return expected(p, "the end of the line or \";\"");
    return true;
}

static bool take_file(struct parser *p, struct xlcfg *config)
{
    unsigned keys = 0;

    if (!next(p))
        return false;
    while (p->token != TOKEN_END) {
        if (p->token == TOKEN_NAME) {
            if (++keys > XLCFG_MAX_KEYS)
                return fail_at(p, p->token_line, "too many settings");
            if (!take_assignment(p, config))
                return false;
        } else if (p->token != TOKEN_NEWLINE && p->token != TOKEN_SEMICOLON) {
            return expected(p, "the name of a setting");
        }
        if (p->token != TOKEN_END && !next(p))
            return false;
    }
    return true;
}

static void finish(struct xlcfg *config)
{
    GHashTableIter iter;
    void *data;

    g_hash_table_iter_init(&iter, config->settings);
    while (g_hash_table_iter_next(&iter, NULL, &data)) {
        struct setting *setting = data;

        if (setting->sum) {
            g_free(setting->value->string);
            setting->value->string = g_string_free(g_steal_pointer(&setting->sum), FALSE);
        }
    }
}

struct xlcfg *xlcfg_parse(const char *text, size_t length, unsigned *line_out, GError **error)
{
    g_autoptr(xlcfg) config = g_new0(struct xlcfg, 1);
    struct parser p = {.at = text, .end = text + length, .line = 1, .error = error};
    bool ok;

    config->settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, setting_free);
    if (length > XLCFG_MAX_OCTETS) {
        ok = fail_at(&p, 1, "the file is longer than 65,536 octets");
    } else if (memchr(text, 0, length)) {
        ok = fail_at(&p, 1, "the file holds a NUL octet, so it is no configuration");
    } else {
        p.text = g_string_new(NULL);
        ok = take_file(&p, config);
        g_string_free(p.text, TRUE);
    }
    if (line_out)
        *line_out = p.token_line;
    if (!ok)
        return NULL;
    finish(config);
    return g_steal_pointer(&config);
}

void *xlcfg_free(struct xlcfg *config)
{
    if (config) {
        g_hash_table_unref(config->settings);
        g_free(config);
    }
    return NULL;
}

/* --- looking up */

const struct xlcfg_value *xlcfg_lookup(const struct xlcfg *config, const char *key)
{
    const struct setting *setting = g_hash_table_lookup(config->settings, key);

    return setting ? setting->value : NULL;
}

const char *xlcfg_string(const struct xlcfg *config, const char *key)
{
    const struct xlcfg_value *value = xlcfg_lookup(config, key);

    return value ? value->string : NULL;
}

bool xlcfg_integer(const struct xlcfg *config, const char *key, int64_t min, int64_t max,
                   int64_t *out, GError **error)
{
    const struct setting *setting = g_hash_table_lookup(config->settings, key);
    const char *text = setting ? setting->value->string : NULL;
    char *end = NULL;
    long long number;

    if (!setting)
        return false;
    errno = 0;
    number = text && !setting->added ? strtoll(text, &end, 0) : 0;
    if (!end || end == text || *end || errno)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG, "line %u: %s is not a number",
                       setting->value->line, key);
    if (number < min || number > max)
        return xc_fail(error, XC_CAUSE_BAD_CONFIG,
                       "line %u: %s is not in %" G_GINT64_FORMAT "..%" G_GINT64_FORMAT,
                       setting->value->line, key, min, max);
    *out = number;
    return true;
}

GPtrArray *xlcfg_list(const struct xlcfg *config, const char *key)
{
    const struct xlcfg_value *value = xlcfg_lookup(config, key);
    GPtrArray *strings;

    if (!value || value->kind != XLCFG_LIST)
        return NULL;
    strings = g_ptr_array_new();
    for (guint i = 0; i < value->items->len; i++) {
        const struct xlcfg_value *item = g_ptr_array_index(value->items, i);

        if (item->kind == XLCFG_STRING)
            g_ptr_array_add(strings, item->string);
    }
    return strings;
}
