#include "api/csv_in.h"

#include "api/rows_out.h"

/* The octets up to the next comma or line end; `rest` keeps that octet. */
static struct dsnd_str cut_plain(struct dsnd_str *rest)
{
    size_t len = 0;
    struct dsnd_str cell;

    while (len < rest->len && rest->ptr[len] != ',' && rest->ptr[len] != '\n')
        len++;
    cell = dsnd_str_slice(*rest, 0, len);
    *rest = dsnd_str_slice(*rest, len, rest->len);
    if (cell.len > 0 && cell.ptr[cell.len - 1] == '\r' && (rest->len == 0 || *rest->ptr == '\n'))
        cell.len--;
    return cell;
}

/* The place of the closing quote, or SIZE_MAX. */
static size_t find_close(struct dsnd_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '"')
            continue;
        if (i + 1 == text.len || text.ptr[i + 1] != '"')
            return i;
        i++;
    }
    return SIZE_MAX;
}

/* A cell whose opening quote is taken; `rest` keeps what follows the closing one. */
static enum dsnd_err cut_quoted(struct dsnd_str *rest, struct dsnd_arena *arena,
                                struct dsnd_str *ret_cell)
{
    size_t close = find_close(*rest);
    size_t len = 0;
    char *dst;

    if (close == SIZE_MAX)
        return DSND_ERR_SYNTAX;
    dst = dsnd_arena_alloc(arena, close + 1);
    if (!dst)
        return DSND_ERR_NOMEM;
    for (size_t i = 0; i < close; i++) {
        dst[len++] = rest->ptr[i];
        i += rest->ptr[i] == '"'; /* the second of two */
    }
    *ret_cell = dsnd_str_make(dst, len);
    *rest = dsnd_str_slice(*rest, close + 1, rest->len);
    return DSND_OK;
}

static struct dsnd_str fuse(struct dsnd_str cell)
{
    bool defused = cell.len > 0 && cell.ptr[0] == '\'' && rows_out_is_formula(cell);

    return defused ? dsnd_str_slice(cell, 1, cell.len) : cell;
}

static enum dsnd_err cut_cell(struct dsnd_str *rest, struct dsnd_arena *arena,
                              struct dsnd_str *ret_cell)
{
    enum dsnd_err err = DSND_OK;

    if (rest->len == 0 || rest->ptr[0] != '"') {
        *ret_cell = fuse(cut_plain(rest));
        return DSND_OK;
    }
    *rest = dsnd_str_slice(*rest, 1, rest->len);
    err = cut_quoted(rest, arena, ret_cell);
    if (err)
        return err;
    *ret_cell = fuse(*ret_cell);
    return cut_plain(rest).len == 0 ? DSND_OK : DSND_ERR_SYNTAX;
}

enum dsnd_err csv_in_record(struct dsnd_str *rest, struct dsnd_arena *arena,
                            struct csv_record *ret_record)
{
    bool more = true;

    ret_record->count = 0;
    while (more) {
        enum dsnd_err err;

        if (ret_record->count == CSV_IN_CELLS_MAX)
            return DSND_ERR_LIMIT;
        err = cut_cell(rest, arena, &ret_record->cell[ret_record->count]);
        if (err)
            return err;
        ret_record->count++;
        more = rest->len > 0 && rest->ptr[0] == ',';
        if (rest->len > 0)
            *rest = dsnd_str_slice(*rest, 1, rest->len);
    }
    return DSND_OK;
}
