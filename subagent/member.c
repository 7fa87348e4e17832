/* Columns that show members of C structs. */
#include "subagent/table.h"

#include <string.h>

static uint64_t read_number(const struct st_column *column, const char *at)
{
    switch (column->size) {
    case sizeof(uint8_t):
        return *(const uint8_t *)at;
    case sizeof(uint32_t):
        return column->type == ST_INTEGER32 ? (uint64_t)(int64_t) * (const int32_t *)at
                                            : *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

bool st_read_member(const struct st_column *column, const void *from, struct st_value *out)
{
    const char *at = (const char *)from + column->offset;

    if (column->type == ST_TEXT) {
        const char *text = *(const char *const *)at;

        return column->none_if_zero ? st_text_or_none(out, text) : st_text(out, text);
    }
    uint64_t number = read_number(column, at);

    if (column->type == ST_DATE)
        return st_date(out, (int64_t)number);
    if (column->none_if_zero && number == 0)
        return false;
    if (column->divide)
        number /= column->divide;
    if (column->type == ST_TRUTH)
        return st_truth(out, number != 0);
    if (column->type == ST_COUNTER64 || column->type == ST_COUNTER32 ||
        column->type == ST_INTEGER32)
        return st_number(out, number);
    return st_gauge(out, number);
}

bool st_get_member(const struct st_cell *cell, struct st_value *out)
{
    return st_read_member(cell->column, cell->row, out);
}
